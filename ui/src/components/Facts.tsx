import type { ReactNode } from "react";

/** Names with what they are, as a list of terms; the class says how it is laid out. */
export function Facts({ of, className = "facts" }: { of: readonly (readonly [name: string, value: ReactNode])[]; className?: string }) {
  return (
    <dl className={className}>
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
