import { builtin } from "../platform/runtime.ts";
import { type Channel, type Machine, runWell } from "./channel.ts";
import { isWsl } from "./machine.ts";

/** Shows what it reads as JSON from standard input. Windows wants the name of a known program; PowerShell's own is. */
const SCRIPT = String.raw`
$ErrorActionPreference = 'Stop'
$data = [Console]::In.ReadToEnd() | ConvertFrom-Json
$null = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$null = [Windows.Data.Xml.Dom.XmlDocument, Windows.Data.Xml.Dom.XmlDocument, ContentType = WindowsRuntime]
$xml = New-Object Windows.Data.Xml.Dom.XmlDocument
$xml.LoadXml('<toast><visual><binding template="ToastGeneric"><text/><text/></binding></visual></toast>')
$texts = $xml.GetElementsByTagName('text')
$null = $texts.Item(0).AppendChild($xml.CreateTextNode($data.title))
$null = $texts.Item(1).AppendChild($xml.CreateTextNode($data.body))
if ($data.link) {
  $xml.DocumentElement.SetAttribute('activationType', 'protocol')
  $xml.DocumentElement.SetAttribute('launch', $data.link)
}
$name = '{1AC14E77-02E7-4E5D-B744-2EB1AE5198B7}\WindowsPowerShell\v1.0\powershell.exe'
$toast = New-Object Windows.UI.Notifications.ToastNotification $xml
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier($name).Show($toast)
`;

/** Windows, also from Linux inside it: a toast, shown by the PowerShell that every Windows has. */
export function windows(machine: Machine): Channel {
  const program = () => machine.find("powershell.exe");
  return {
    name: "Windows",
    availability() {
      if (machine.platform !== "win32" && !isWsl(machine.env)) {
        return { there: false, why: "for Windows" };
      }
      return program() === undefined
        ? { there: false, why: "powershell.exe is not on the PATH" }
        : { there: true, how: "powershell.exe" };
    },
    async send({ title, body }, link) {
      const args = ["-NoProfile", "-NonInteractive", "-EncodedCommand", encoded(SCRIPT)];
      const texts = { title: plain(title), body: plain(body), link: link ?? "" };
      await runWell(machine, program() ?? "powershell.exe", args, asciiJson(texts));
    },
  };
}

/** A script as PowerShell takes it without any quoting: base64 of UTF-16, low byte first. */
function encoded(script: string): string {
  return builtin("node:buffer").Buffer.from(script, "utf16le").toString("base64");
}

/** JSON without a character that a code page could change. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A toast takes a text in braces for the name of a value; a space without width keeps it a text. */
function plain(text: string): string {
  return text.startsWith("{") ? `\u200b${text}` : text;
}
