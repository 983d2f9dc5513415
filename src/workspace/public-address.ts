import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Of IPv4, by the registry of special addresses of IANA: this machine, this network, tests, many at once. */
const SPECIAL_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];
/** Of IPv6 only this is public, … */
const GLOBAL_V6 = ["2000::", 3] as const;
/** … and of that not what is for examples or has an address of IPv4 in it. */
const SPECIAL_V6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const specialV4 = listOf(SPECIAL_V4, "ipv4");
const specialV6 = listOf(SPECIAL_V6, "ipv6");
const globalV6 = listOf([GLOBAL_V6], "ipv6");

/** True for an address that anybody on the internet could reach: not of this machine, nor of a network that it is in. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !specialV4.check(address, "ipv4");
  return isIPv6(address) && globalV6.check(address, "ipv6") && !specialV6.check(address, "ipv6");
}

function listOf(networks: readonly (readonly [string, number])[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}
