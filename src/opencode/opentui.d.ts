/**
 * What we use of `@opentui/solid`. OpenCode gives its own copy to a TUI plugin
 * that imports it; nothing of it is ours to ship.
 *
 * @module
 */

/** Something on the screen. */
export interface Element {
  readonly [brand: symbol]: unknown;
}

/** Makes an element of the terminal: `text`, `box`, … */
export declare function createElement(name: string): Element;
/** Puts content into an element; a function's content follows what it reads. */
export declare function insert(parent: Element, content: () => string): void;
/** Sets a property of an element. */
export declare function setProp(element: Element, name: string, value: unknown): void;
/** Runs something now, and again when what it has read changes. */
export declare function effect(run: () => void): void;
/** Makes a component. */
export declare function createComponent<Props>(
  component: (props: Props) => Element,
  props: Props,
): Element;
