import { type Channel, type Machine, runWell } from "./channel.ts";

/** Desktops that follow freedesktop.org: `notify-send`, as libnotify brings it. */
export function freedesktop(machine: Machine): Channel {
  const program = () => machine.find("notify-send");
  return {
    name: "desktop",
    availability() {
      if (machine.platform === "darwin" || machine.platform === "win32") {
        return { there: false, why: "for Linux and the like" };
      }
      return program() === undefined
        ? { there: false, why: "notify-send is not installed (package libnotify-bin)" }
        : { there: true, how: "notify-send" };
    },
    async send({ title, body, priority }) {
      await runWell(machine, program() ?? "notify-send", [
        "--app-name=OpenCode",
        `--urgency=${priority >= 5 ? "critical" : "normal"}`,
        // Also texts that begin with a dash are texts.
        "--",
        title,
        bodyArgument(body),
      ]);
    },
  };
}

/**
 * A text as `notify-send` takes its body: the program undoes backslashes, and desktops read it as
 * markup of three characters.
 */
export function bodyArgument(text: string): string {
  return text.replaceAll("\\", "\\\\")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
