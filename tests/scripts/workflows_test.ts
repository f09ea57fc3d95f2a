import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { parse } from "yaml";
import { releaseFiles } from "../../scripts/release.ts";
import { exists, inRepository } from "../../scripts/repository.ts";
import manifest from "../../deno.json" with { type: "json" };

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly strategy?: { matrix: { include: readonly { target: string }[] } };
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const TEXTS = new Map(
  ["ci.yml", "release.yml"].map((name) => [
    name,
    Deno.readTextFileSync(inRepository(".github", "workflows", name)),
  ]),
);

function workflow(name: string): Workflow {
  return parse(TEXTS.get(name) ?? "", { strict: true }) as Workflow;
}

function steps({ jobs }: Workflow): Step[] {
  return Object.values(jobs).flatMap((job) => job.steps);
}

/** What is wrong with the actions that a workflow uses. */
function unpinned(text: string): string[] {
  const found = new Map<string, string>();
  return [...text.matchAll(/^\s*(?:- )?uses:\s*(.+)$/gm)].flatMap(([, use = ""]) => {
    const pin = /^([\w.-]+\/[\w./-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$/.exec(use);
    if (pin === null) return [use];
    const [, action = "", commit = ""] = pin;
    const before = found.get(action) ?? commit;
    found.set(action, before);
    return before === commit ? [] : [use];
  });
}

for (const [name, text] of TEXTS) {
  Deno.test(`${name} pins every action to one commit and says which version that is`, () => {
    assert.deepEqual(unpinned(text), []);
    const used = steps(workflow(name)).filter((step) => step.uses !== undefined);
    assert.equal(used.length, text.match(/\buses:/g)?.length, "a step was not read");
    assert.ok(used.length > 0);
  });

  Deno.test(`${name} gives each job what it needs, a time limit, and nothing beside`, () => {
    const { permissions, jobs } = workflow(name);
    assert.deepEqual(permissions, {});
    for (const [job, { permissions, "timeout-minutes": limit }] of Object.entries(jobs)) {
      assert.ok(permissions !== undefined, `${job} has no permissions of its own`);
      assert.ok(limit !== undefined && limit <= 60, `${job} has no time limit`);
    }
    for (const step of steps(workflow(name))) {
      if (step.uses?.startsWith("actions/checkout@")) {
        assert.equal(step.with?.["persist-credentials"], false);
      }
    }
  });

  Deno.test(`${name} lets nobody's text into a shell, and its shell is in order`, () => {
    for (const { run, name: title = "" } of steps(workflow(name))) {
      if (run === undefined) continue;
      assert.doesNotMatch(run, /\$\{\{/, `${title}: give it as a variable`);
      const checked = spawnSync("bash", ["-n", "-c", run], { encoding: "utf8" });
      assert.equal(checked.stderr, "", title);
    }
  });

  Deno.test(`${name} calls scripts, tasks and a Deno that are there`, () => {
    const runs = steps(workflow(name)).map((step) => step.run ?? "").join("\n");
    for (const [, script = ""] of runs.matchAll(/(scripts\/\w+\.ts|\.ci\/run)/g)) {
      assert.ok(exists(inRepository(script)), script);
    }
    for (const [, task = ""] of runs.matchAll(/deno@\S+ task (\w+)/g)) {
      assert.ok(Object.hasOwn(manifest.tasks, task), task);
    }
    const wanted = /deno@([\d.]+)/.exec(Deno.readTextFileSync(inRepository(".ci", "run")))?.[1];
    for (const [, version] of runs.matchAll(/deno@([\d.]+)/g)) assert.equal(version, wanted);
  });
}

Deno.test("only the jobs that build nothing may write", () => {
  const { jobs, on } = workflow("release.yml");
  assert.deepEqual(on, { push: { tags: ["v*"] } });
  const writing = Object.entries(jobs).filter(([, { permissions }]) =>
    Object.values(permissions ?? {}).includes("write")
  );
  assert.deepEqual(writing.map(([name]) => name), ["attest", "publish"]);
  for (const [name, job] of writing) {
    const runs = job.steps.map((step) => step.run ?? "").join("\n");
    assert.doesNotMatch(runs, /deno@\S+ task|npm (?:ci|install)/, name);
    assert.match(runs, /sha256sum --check --strict SHA256SUMS/, name);
  }
  assert.deepEqual(
    Object.entries(jobs).map(([name, { needs }]) => [name, needs]),
    [["build", undefined], ["try", "build"], ["attest", "try"], ["publish", "attest"]],
  );
});

/** What keeps a release from being made, attested and published as a whole; empty when nothing does. */
function missingInRelease({ jobs }: Workflow): string[] {
  const used = (job: string, action: string) =>
    jobs[job]?.steps.find(({ uses }) => uses?.startsWith(`${action}@`));
  const runs = (job: string) => (jobs[job]?.steps ?? []).map(({ run }) => run ?? "").join("\n");
  const wanted: readonly (readonly [string, boolean])[] = [
    ["checks", /^\.ci\/run$/m.test(runs("build"))],
    ...["npm", "bundle", "compile --all"].map((task) =>
      [task, runs("build").split("\n").some((line) => line.endsWith(` task ${task}`))] as const
    ),
    ["gathering", / scripts\/release\.ts "\$TAG"$/m.test(runs("build"))],
    [
      "attestation",
      used("attest", "actions/attest-build-provenance")?.with?.["subject-path"] === "release/*",
    ],
    ["release", /^gh release create "\$TAG" --verify-tag .*release\/\*$/m.test(runs("publish"))],
    [
      "branch",
      / scripts\/npm_branch\.ts "\$GITHUB_SERVER_URL\/\$GITHUB_REPOSITORY"$/m.test(runs("publish")),
    ],
  ];
  return wanted.flatMap(([name, there]) => there ? [] : [name]);
}

Deno.test("a release is checked, built, gathered, attested, published, and put on the branch for OpenCode", () => {
  assert.deepEqual(missingInRelease(workflow("release.yml")), []);
});

for (
  const [name, text, by] of [
    ["checks", "run: .ci/run", "run: true"],
    ["compile --all", "task compile --all", "task compile"],
    ["attestation", "actions/attest-build-provenance@", "actions/upload-artifact@"],
    ["attestation", "subject-path: release/*", "subject-path: release/a"],
    ["release", "gh release create", "# gh release create"],
    ["branch", "scripts/npm_branch.ts", "scripts/release.ts"],
  ] as const
) {
  Deno.test(`the check of a release notices ${by} in the place of ${text}`, () => {
    const changed = (TEXTS.get("release.yml") ?? "").replace(text, by);
    assert.notEqual(changed, TEXTS.get("release.yml"));
    assert.deepEqual(missingInRelease(parse(changed) as Workflow), [name]);
  });
}

Deno.test("before a change is taken, JSR's rules for types and documentation are held as well", () => {
  const lines = Deno.readTextFileSync(inRepository(".ci", "run")).split("\n");
  const step = (name: string) => lines.find((line) => line.startsWith(`step "${name}" "$deno" `));
  assert.match(step("documentation") ?? "", / doc .*--lint mod\.ts cli\.ts$/);
  assert.match(step("publication") ?? "", / publish .*--dry-run/);
  assert.deepEqual(Object.values(manifest.exports), ["./mod.ts", "./cli.ts"]);
});

Deno.test("every binary of a release is started on a system of its own before it is published", () => {
  const targets = workflow("release.yml").jobs["try"]?.strategy?.matrix.include
    .map(({ target }) => target);
  const built = releaseFiles().flatMap((file) =>
    /opencode-multi-auth-(\w+-.+?)(?:\.exe)?$/.exec(file)?.[1] ?? []
  ).filter((name) => !name.startsWith("codex"));
  assert.equal(built.length, 6);
  assert.deepEqual(targets?.toSorted(), built.toSorted());
});

for (
  const [name, use] of [
    ["a tag", "actions/checkout@v7 # v7.0.0"],
    ["a short commit", "actions/checkout@9c091bb # v7.0.0"],
    ["a commit without its version", "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0"],
    ["a branch of the version", "actions/checkout@9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0 # v7"],
  ] as const
) {
  Deno.test(`the check of pins notices ${name}`, () => {
    assert.deepEqual(unpinned(`    steps:\n      - uses: ${use}\n`), [use]);
  });
}
