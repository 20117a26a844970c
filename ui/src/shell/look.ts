import { useSyncExternalStore } from "react";

export type Theme = "auto" | "light" | "dark";
export type Density = "compact" | "default" | "touch";
export interface Look {
  theme: Theme;
  density: Density;
  dark: boolean;
}

const KEY = "lineshaft.look";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function stored(): Pick<Look, "theme" | "density"> {
  try {
    const read = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Look>;
    const theme = ["auto", "light", "dark"].includes(read.theme ?? "") ? (read.theme as Theme) : "auto";
    const density = ["compact", "default", "touch"].includes(read.density ?? "") ? (read.density as Density) : "default";
    return { theme, density };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return { theme: "auto", density: "default" };
    throw error;
  }
}

function complete(choice: Pick<Look, "theme" | "density">): Look {
  return { ...choice, dark: choice.theme === "dark" || (choice.theme === "auto" && system.matches) };
}

let look = complete(stored());

function apply(): void {
  document.documentElement.dataset["theme"] = look.dark ? "dark" : "light";
  document.documentElement.dataset["density"] = look.density;
  for (const listener of listeners) listener();
}

system.addEventListener("change", () => {
  look = complete(look);
  apply();
});
apply();

/** Change theme or density and remember it in this browser. */
export function setLook(change: Partial<Pick<Look, "theme" | "density">>): void {
  look = complete({ theme: look.theme, density: look.density, ...change });
  localStorage.setItem(KEY, JSON.stringify({ theme: look.theme, density: look.density }));
  apply();
}

export function useLook(): Look {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => look,
  );
}

/** Value of a design token now. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
