// Where an alarm sends its reader: a section of docs/runbook.md, on a page of your own or on the dashboard, which holds its whole text.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const TEXT = readFileSync(join(__dirname, '..', 'docs', 'runbook.md'), 'utf8');

/** Of each section, its title and its text below that. The first has none: what goes before all of them. */
const SECTIONS = TEXT.split(/^## /m).map((part, at) => {
  const end = at === 0 ? 0 : part.indexOf('\n');
  return { title: part.slice(0, end), text: part.slice(end).trim() };
});

/** As GitHub and most others make an anchor of a heading. */
const slugOf = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');

/** A dashboard has no anchors, and nothing beside it that a relative link could lead to. */
const withoutLinks = (text) =>
  text.replaceAll(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, '$1').replaceAll(/^# .*\n+/gm, '');

const CONSOLE = `https://\${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=\${AWS::Region}`;
const HEIGHT = 7;
const WIDTH = 12;

/** Below everything else, two beside each other; a comma before each, for the list goes on. */
function widgets(top) {
  return SECTIONS.map(({ title, text }, at) => {
    const heading = title === '' ? '# Runbook' : `## ${title}`;
    const place = { x: (at % 2) * WIDTH, y: top + Math.floor(at / 2) * HEIGHT, width: WIDTH, height: HEIGHT };
    const properties = { markdown: `${heading}\n\n${withoutLinks(text)}` };
    // What looks like a variable to Fn::Sub is none.
    return `, ${JSON.stringify({ type: 'text', ...place, properties }).replaceAll('${', '${!')}`;
  }).join('\n');
}

module.exports = async ({ resolveVariable }) => {
  const own = await resolveVariable('param:runbookUrl');
  const stage = await resolveVariable('sls:stage');
  const service = await resolveVariable('self:service');
  const dashboard = `${CONSOLE}#dashboards/dashboard/${service}-${stage}`;
  const linkTo = ({ title }) => (own === 'none' ? `"${title}" on ${dashboard}` : `${own}#${slugOf(title)}`);
  return {
    /** By the anchor of its section: what an alarm says of where to read on. For Fn::Sub. */
    links: Object.fromEntries(SECTIONS.slice(1).map((one) => [slugOf(one.title), `Runbook: ${linkTo(one)}`])),
    /** For the dashboard's own head line. */
    place: own === 'none' ? 'below' : `in ${own}`,
    widgets: own === 'none' ? widgets(19) : '',
  };
};
