import { useDeferredValue, useId } from "react";
import { usePlaces } from "../api/explorer";

/** A field for a place in the tree that offers what fits to what is typed; `below` is cut off the paths and not shown. */
export function PlaceInput(props: {
  value: string;
  label?: string;
  placeholder?: string;
  below?: string;
  required?: boolean;
  disabled?: boolean;
  onChange: (path: string) => void;
}) {
  const list = useId();
  const { below = "" } = props;
  const places = usePlaces(useDeferredValue(props.value));
  return (
    <>
      <input
        className="input"
        list={list}
        aria-label={props.label}
        placeholder={props.placeholder}
        value={props.value}
        required={props.required}
        disabled={props.disabled}
        spellCheck={false}
        onChange={(event) => props.onChange(event.target.value)}
      />
      <datalist id={list}>
        {places
          .filter((node) => node.level !== "enterprise" && node.path.startsWith(below))
          .map((node) => (
            <option key={node.path} value={node.path.slice(below.length)}>
              {[...node.where, node.name].join(" › ")}
            </option>
          ))}
      </datalist>
    </>
  );
}
