import { Component, type ReactNode } from "react";
import { t } from "../i18n";

/** Keeps a fault of one page from taking the shell with it, and says what to do. */
export class Fence extends Component<{ children: ReactNode; at?: string }, { error: Error | null; at: string | undefined }> {
  override state = { error: null as Error | null, at: this.props.at };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  static getDerivedStateFromProps(props: { at?: string }, state: { error: Error | null; at: string | undefined }) {
    return props.at === state.at ? null : { error: null, at: props.at };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <div className="failure" role="alert">
        <p>{t("error.broken")}</p>
        <pre>{String(this.state.error.stack ?? this.state.error)}</pre>
        <a href="/">{t("error.home")}</a>
      </div>
    );
  }
}
