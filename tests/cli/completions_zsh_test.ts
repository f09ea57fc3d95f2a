import { testShell } from "./shell_completion.ts";

testShell("zsh");
