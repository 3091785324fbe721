// Where an alarm sends its reader: a section of docs/runbook.md, on a page of your own or on the dashboard.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const TEXT = readFileSync(join(__dirname, '..', 'docs', 'runbook.md'), 'utf8');

/** Each section's title and text. The first section has no title: it is what precedes the others. */
const SECTIONS = TEXT.split(/^## /m).map((part, at) => {
  const end = at === 0 ? 0 : part.indexOf('\n');
  return { title: part.slice(0, end), text: part.slice(end).trim() };
});

/** Makes an anchor of a heading as GitHub does. */
const slugOf = (title) =>
  title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');

/** A dashboard has no anchors, and no files for relative links. */
const withoutLinks = (text) =>
  text.replaceAll(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, '$1').replaceAll(/^# .*\n+/gm, '');

const CONSOLE = `https://\${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=\${AWS::Region}`;
const HEIGHT = 7;
const WIDTH = 12;

/**
 * The sections' widgets below all others, in two columns. Each begins with a comma, because the list
 * continues.
 */
function widgets(top) {
  return SECTIONS.map(({ title, text }, at) => {
    const heading = title === '' ? '# Runbook' : `## ${title}`;
    const place = { x: (at % 2) * WIDTH, y: top + Math.floor(at / 2) * HEIGHT, width: WIDTH, height: HEIGHT };
    const properties = { markdown: `${heading}\n\n${withoutLinks(text)}` };
    // Escapes what looks like a variable of Fn::Sub.
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
    /** By the anchor of a section: the link in an alarm's text. For Fn::Sub. */
    links: Object.fromEntries(SECTIONS.slice(1).map((one) => [slugOf(one.title), `Runbook: ${linkTo(one)}`])),
    /** For the dashboard's own headline. */
    place: own === 'none' ? 'below' : `in ${own}`,
    widgets: own === 'none' ? widgets(19) : '',
  };
};
