import "./shell/look";
import "./tokens.css";
import "./base.css";
import "./shell/shell.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/queries";
import { App } from "./shell/App";
import { Fence } from "./shell/Fence";

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <Fence>
      <QueryClientProvider client={queryClient}>
        <App />
      </QueryClientProvider>
    </Fence>
  </StrictMode>,
);
