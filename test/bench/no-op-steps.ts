import type { ChainFigures } from "./chain-figures.ts";
import { type LangGraph, provideLangGraph } from "./langgraph.ts";
import { medians } from "./median.ts";
import { runProgram } from "./program.ts";
import { aim, ms, row, times } from "./rows.ts";

const ROUNDS = 3;

/** Who runs a chain, how long it is, and the program that does it. */
const CHAINS = {
  ccp100: { program: "no-op-chain.ts", argv: ["100"] },
  ccp1000: { program: "no-op-chain.ts", argv: ["1000"] },
  ccp100Files: { program: "no-op-chain.ts", argv: ["100", "files"] },
  langgraph100: { program: "langgraph/chain.mjs", argv: ["100", "default"] },
  langgraph100Full: { program: "langgraph/chain.mjs", argv: ["100", "full"] },
  langgraph1000: { program: "langgraph/chain.mjs", argv: ["1000", "default"] },
  langgraph1000Full: { program: "langgraph/chain.mjs", argv: ["1000", "full"] },
} as const;

type ChainName = keyof typeof CHAINS;

/** One chain; `growth`: what its last hundred steps took beside its first hundred. */
interface Chain extends ChainFigures {
  readonly growth: number;
}

/** Medians of each chain. */
export interface NoOpFigures {
  readonly langgraph: LangGraph;
  readonly chains: Readonly<Partial<Record<ChainName, Chain>>>;
}

/** Each round runs every chain once, each in a process of its own. */
export function measureNoOpSteps(): NoOpFigures {
  const langgraph = provideLangGraph();
  const names = (Object.keys(CHAINS) as ChainName[]).filter(
    (name) => "version" in langgraph || !name.startsWith("langgraph"),
  );
  const rounds = Array.from({ length: ROUNDS }, () => names.map(measureChain));
  const entries = names.map((name, index) => [name, medians(rounds.flatMap((round) => round[index] ?? []))] as const);
  return { langgraph, chains: Object.fromEntries(entries) };
}

/** The report's lines. */
export function noOpLines({ langgraph, chains }: NoOpFigures): readonly string[] {
  const { ccp1000, langgraph1000, langgraph1000Full } = chains;
  const beside = "version" in langgraph ? `; LangGraph.js ${langgraph.version}, SQLite, durability sync` : "";
  return [
    `a step that does nothing, in a chain, median of ${ROUNDS}${beside}`,
    ...lineOf("ccp, 100 steps", chains.ccp100),
    ...lineOf("ccp, 1,000 steps", ccp1000, growthRemark(ccp1000)),
    ...lineOf("ccp, 100 steps, results/ on disk", chains.ccp100Files),
    ...lineOf("LangGraph, 100", chains.langgraph100),
    ...lineOf("LangGraph, 100, FULL", chains.langgraph100Full),
    ...lineOf("LangGraph, 1,000", langgraph1000, beside1000(langgraph1000, ccp1000)),
    ...lineOf("LangGraph, 1,000, FULL", langgraph1000Full, beside1000(langgraph1000Full, ccp1000)),
    ...("missing" in langgraph ? [`  LangGraph.js was skipped: ${langgraph.missing}`] : []),
  ];
}

function measureChain(name: ChainName): Chain {
  const { program, argv } = CHAINS[name];
  const figures = runProgram<ChainFigures>(program, argv);
  return { ...figures, growth: figures.lastHundredMs / figures.firstHundredMs };
}

function lineOf(name: string, chain: Chain | undefined, remark = ""): readonly string[] {
  if (!chain) return [];
  const bytes = `${chain.bytesPerStep.toFixed(0).padStart(6)} bytes`;
  return [row(name, ms(chain.msPerStep), remark === "" ? bytes : `${bytes}   ${remark}`)];
}

function growthRemark(chain: Chain | undefined): string {
  if (!chain) return "";
  const { firstHundredMs, lastHundredMs, growth } = chain;
  const hundreds = `first hundred ${ms(firstHundredMs)}, last ${ms(lastHundredMs)}`;
  return `${hundreds}: ${times(growth, 1)} (${aim("1.2x at most", growth <= 1.2)})`;
}

function beside1000(theirs: Chain | undefined, ours: Chain | undefined): string {
  if (!theirs || !ours) return "";
  const [time, bytes] = [theirs.msPerStep / ours.msPerStep, theirs.bytesPerStep / ours.bytesPerStep];
  return `${times(time, 1)} the time, ${times(bytes, 1)} the bytes (${aim("5x and 10x at least", time >= 5 && bytes >= 10)})`;
}
