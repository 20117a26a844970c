import { useEffect, useMemo } from "react";
import type { ExplorerFilter } from "../api/explorer";
import { TreePages } from "../api/treePages";
import { live } from "../live/store";

/** The tree behind a filter; the same as long as the filter says the same. */
export function useTreePages(filter: ExplorerFilter & { signals?: boolean }, root = ""): TreePages {
  const key = JSON.stringify(filter);
  const pages = useMemo(() => new TreePages(JSON.parse(key) as ExplorerFilter, root), [key, root]);
  useEffect(() => live.onNotice((notice) => notice === "catalogue" && pages.expire()), [pages]);
  return pages;
}
