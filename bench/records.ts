// The records of the measurements: orders as a shop writes them, dense with objects, numbers, escapes and several scripts.
import { generator } from '../local/start/samples.ts';

const FIRST_NAMES = ['Ana', 'Zoë', 'Łukasz', 'Mai', 'Иван', 'Chidi', 'José', '美咲', 'Νίκος', 'राज'];
/** By these the routes of a stream divide the records. */
const LAST_NAMES = [
  'Reis',
  '佐藤',
  'Smith',
  'da Silva',
  'Müller',
  'Nowak',
  'Nguyễn',
  'Haddad',
  "O'Neill",
  'Okafor',
];
const CITIES = ['Porto', 'Köln', 'Kraków', 'Huế', 'بيروت', 'São Paulo', '仙台', 'Cork'];
const COLOURS = ['black', 'sky-blue', 'café au lait', 'grün', '紺', 'red/white'];
/** As producers write texts: with escapes, and without. */
const REMARKS = ['2\\" pipe', 'ring twice\\nthen wait', 'caf\\u00e9', 'C:\\\\orders', 'für Oma 🎁', 'ok'];
const SENTENCES = [
  'Leave it with the neighbour on the second floor, please.',
  'Bitte beim Nachbarn abgeben, 2. Stock links 🙏',
  'Оставьте посылку у двери',
  '配達は夕方六時以降にお願いします',
  'Packed twice, the first box was wet; nothing broken.',
];

/**
 * The records as the producer wrote them, one text each. The same arguments give the same records.
 * @param bytes of each record, at least 250
 */
export function linesOf(records: number, bytes: number): string[] {
  const random = generator(1);
  return Array.from({ length: records }, (_, index) => orderAt(index, bytes, random));
}

function orderAt(index: number, bytes: number, random: () => number): string {
  const below = (most: number) => Math.floor(random() * most);
  const pick = (from: readonly string[]) => from[below(from.length)] ?? '';
  const money = () => `${below(500)}.${String(below(100)).padStart(2, '0')}`;
  const id = String(index + 1).padStart(6, '0');
  const head = `{"id":"cust-${id}","lastName":"${pick(LAST_NAMES)}","firstName":"${pick(FIRST_NAMES)}","at":17${below(1e9)}${below(1e3)}`;
  const place = `"geo":[${below(180) - 90}.${below(1e4)},${below(360) - 180}.${below(1e4)}],"city":"${pick(CITIES)}"`;
  const items: string[] = [];
  const text = (trace: string) =>
    `${head},"ship":{${place}},"lines":[${items.join(',')}],"trace":"${trace}"}`;
  let left = bytes - Buffer.byteLength(text(''));
  for (let item = ''; ; items.push(item)) {
    item = itemOf(items.length, { below, pick, money });
    const more = Buffer.byteLength(item) + (items.length > 0 ? 1 : 0);
    if (more > left) break;
    left -= more;
  }
  return text(Array.from({ length: left }, () => below(16).toString(16)).join(''));
}

interface Choice {
  readonly below: (most: number) => number;
  readonly pick: (from: readonly string[]) => string;
  readonly money: () => string;
}

/** Each sixth line is of the same kind; none is longer than 80 bytes. */
function itemOf(index: number, { below, pick, money }: Choice): string {
  switch (index % 6) {
    case 0:
      return `{"sku":"A-${below(1e5)}","qty":${1 + below(9)},"price":${money()},"gift":${below(2) === 0}}`;
    case 1:
      return `{"sku":"B-${below(1e5)}","qty":1,"off":-${below(30)}e-2,"note":"${pick(REMARKS)}"}`;
    case 2:
      return `{"sku":"C","of":{"colour":"${pick(COLOURS)}","size":[${below(60)},null]}}`;
    case 3:
    case 5:
      return `{"text":"${pick(SENTENCES)}"}`;
    default:
      return `{"fee":{"net":${money()},"vat":${money()}},"paid":true,"tags":["a","é"]}`;
  }
}
