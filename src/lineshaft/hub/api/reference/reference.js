// Draws /api/openapi.json: every call with its parameters, body and answers.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function typeOf(schema, all, depth = 0) {
  if (!schema) return "any";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return depth > 5 ? name : shape(all[name] ?? {}, all, depth);
  }
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, all, depth)).join(" | ");
  if (schema.type === "array") return `[ ${typeOf(schema.items, all, depth)}, ... ]`;
  return shape(schema, all, depth);
}

function shape(schema, all, depth) {
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf || schema.type === "array" || schema.$ref) return typeOf(schema, all, depth);
  if (!schema.properties) return schema.type ?? "any";
  const space = "  ".repeat(depth + 1);
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([name, one]) => {
    const words = one.description ? `  // ${one.description}` : "";
    return `${space}${name}${required.has(name) ? "" : "?"}: ${typeOf(one, all, depth + 1)}${words}`;
  });
  return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
}

function content(title, described, all) {
  const parts = [];
  for (const [kind, { schema }] of Object.entries(described?.content ?? {})) {
    parts.push(element("p", { class: "dim" }, `${title}: ${kind}`), element("pre", {}, typeOf(schema, all)));
  }
  return parts;
}

function call(method, path, operation, all) {
  const body = element("div", { class: "body" });
  if (operation.parameters?.length) {
    const table = element("table");
    for (const one of operation.parameters) {
      table.append(
        element(
          "tr",
          {},
          element("td", {}, element("code", {}, one.name + (one.required ? "" : "?"))),
          element("td", { class: "dim" }, `${one.in}, ${typeOf(one.schema, all)}`),
          element("td", {}, one.description ?? one.schema?.description ?? ""),
        ),
      );
    }
    body.append(table);
  }
  body.append(...content("body", operation.requestBody, all));
  for (const [status, answer] of Object.entries(operation.responses ?? {})) {
    if (status !== "default" && status !== "422") body.append(...content(`answer ${status}`, answer, all));
  }
  const heading = element("summary", {}, element("span", { class: "method" }, method.toUpperCase()));
  heading.append(element("code", {}, path), element("span", { class: "dim" }, operation.description ?? operation.summary));
  return element("details", {}, heading, body);
}

async function draw() {
  const main = document.getElementById("reference");
  const response = await fetch("/api/openapi.json");
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  const api = await response.json();
  const all = api.components?.schemas ?? {};
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((one) => methods[one])) {
      const group = methods[method].tags?.[0] ?? "other";
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(call(method, path, methods[method], all));
    }
  }
  main.replaceChildren(
    element("h1", {}, `${api.info.title} API ${api.info.version}`),
    element("p", {}, api.info.summary ?? ""),
    element("p", {}, "Programs send ", element("code", {}, "Authorization: Bearer <token>"), "; errors are problem+json. "),
    element("p", {}, element("a", { href: "/api/openapi.json" }, "openapi.json")),
  );
  for (const [name, calls] of groups) main.append(element("section", {}, element("h2", {}, name), ...calls));
}

draw().catch((error) => {
  document.getElementById("reference").replaceChildren(element("p", {}, `The reference cannot be drawn: ${error.message}`));
});
