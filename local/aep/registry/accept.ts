// Which representation a registry call asked for; the registry insists on being asked properly (contract §2.1).

import { Refusal } from '../errors.ts';
import { type AdmittedCall, callHeader } from '../http.ts';
import type { World } from '../state.ts';

export interface Representation {
  readonly full: boolean;
  readonly flat: boolean;
  readonly noText: boolean;
  readonly withDescriptors: boolean;
  readonly idOnly: boolean;
  readonly linkOnly: boolean;
  readonly paged: boolean;
  readonly version: number | undefined;
}

const VENDOR =
  /^application\/vnd\.adobe\.(xed|xdm)((?:-[a-z0-9]+)*)\+json(?:\s*;\s*version=(\d+)(?:\.\d+)?)?$/i;

/** Adobe's page has the first seven; `flat` and `deprecated` are what aepp asks for. Any other word is refused (UNVERIFIED). */
const WORDS = new Set('full notext desc id link v2 deprecatefield flat deprecated'.split(' '));

function parse(call: AdmittedCall): Representation | undefined {
  const found = VENDOR.exec((callHeader(call, 'accept') ?? '').trim());
  if (!found) return undefined;
  const words = (found[2] ?? '').toLowerCase().split('-').filter(Boolean);
  if (words.some((word) => !WORDS.has(word))) return undefined;
  return {
    full: words.includes('full'),
    flat: words.includes('flat'),
    noText: words.includes('notext'),
    withDescriptors: words.includes('desc'),
    idOnly: words.includes('id'),
    linkOnly: words.includes('link'),
    paged: words.includes('v2'),
    version: found[3] === undefined ? undefined : Number(found[3]),
  };
}

/** A list takes no version. */
export function listAccept(world: World, call: AdmittedCall): Representation {
  const asked = parse(call);
  if (asked && asked.version === undefined) return asked;
  throw invalid(world, call, 'XDM-1006-400', "application/vnd.adobe.'{xed|xdm'}+json");
}

/** A look-up needs a version. */
export function lookupAccept(world: World, call: AdmittedCall): Representation {
  const asked = parse(call);
  if (asked?.version !== undefined) return asked;
  const hint = "application/vnd.adobe.'{xed|xdm'}+json; version=1 (Version should be specified)";
  throw invalid(world, call, 'XDM-1007-400', hint);
}

export function descriptorsAccept(world: World, call: AdmittedCall): Representation {
  const asked = parse(call);
  if (asked && namesXdm(call)) return asked;
  throw invalid(world, call, 'XDM-1008-400', 'application/vnd.adobe.xdm-id+json');
}

/** Descriptors have no versions, so the look-up of one needs no Accept (OpenAPI of the registry); a wrong one is refused. */
export function checkDescriptorAccept(world: World, call: AdmittedCall): void {
  const given = (callHeader(call, 'accept') ?? '').trim();
  if (given === '' || given === '*/*' || (parse(call) && namesXdm(call))) return;
  throw invalid(world, call, 'XDM-1009-400', 'application/vnd.adobe.xdm+json');
}

function namesXdm(call: AdmittedCall): boolean {
  return /\.xdm/i.test(callHeader(call, 'accept') ?? '');
}

function invalid(world: World, call: AdmittedCall, code: string, example: string): Refusal {
  const given = callHeader(call, 'accept') ?? '';
  const detail = `The supplied Accept header is not valid: ${given} - A valid Accept value should look like ${example}`;
  return Refusal.xdm(code, 'Accept header invalid', detail, call.requestId, world.clock.now());
}
