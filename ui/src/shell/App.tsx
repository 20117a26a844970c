import { lazy, Suspense, useEffect } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { Route, Switch, useLocation } from "wouter";
import { onUnauthorised } from "../api/client";
import { useHubNotices, useSession } from "../api/queries";
import { Empty, Failure, Skeleton } from "../components/basics";
import { t } from "../i18n";
import { live } from "../live/store";
import { OverviewPage } from "../pages/overview/OverviewPage";
import { Fence } from "./Fence";
import { Shell } from "./Shell";

const AssetPage = lazy(() => import("../pages/asset/AssetPage"));
const ComparePage = lazy(() => import("../pages/compare/ComparePage"));
const ExplorerPage = lazy(() => import("../pages/explorer/ExplorerPage"));
const SignalPage = lazy(() => import("../pages/signal/SignalPage"));
const WritesPage = lazy(() => import("../pages/settings/WritesPage"));
const TrendPage = lazy(() => import("../pages/trend/TrendPage"));
const OeePage = lazy(() => import("../apps/oee/OeePage"));
const AndonPage = lazy(() => import("../apps/oee/Andon"));
const WaveformPage = lazy(() => import("../pages/waveform/WaveformPage"));
const MaintenancePage = lazy(() => import("../apps/maintenance/MaintenancePage"));
const MachinePage = lazy(() => import("../apps/maintenance/MachinePage"));
const CasePage = lazy(() => import("../apps/maintenance/CasePage"));
const SensorPage = lazy(() => import("../apps/maintenance/sensor/SensorPage"));
const SourcesPage = lazy(() => import("../pages/sources/SourcesPage"));
const EventsPage = lazy(() => import("../pages/events/EventsPage"));
const HealthPage = lazy(() => import("../pages/settings/HealthPage"));
const SettingsPage = lazy(() => import("../pages/settings/SettingsPage"));
const ConfigurationPage = lazy(() => import("../pages/configuration/ConfigurationPage"));
const ConnectPage = lazy(() => import("../pages/connect/ConnectPage"));
const OperatorsPage = lazy(() => import("../pages/operators/OperatorsPage"));
const ModelsPage = lazy(() => import("../pages/models/ModelsPage"));
const ModelPage = lazy(() => import("../pages/models/ModelPage"));
const SignInPage = lazy(() => import("../pages/signin/SignInPage"));
const SetupPage = lazy(() => import("../pages/setup/SetupPage"));

/** Decides between setup, sign-in and the plant. */
export function App() {
  const [path] = useLocation();
  const session = useSession();
  const client = useQueryClient();
  useEffect(
    () =>
      onUnauthorised(() => {
        client.setQueryData(["session"], null);
      }),
    [client],
  );
  if (path === "/setup") {
    return (
      <Suspense fallback={null}>
        <SetupPage />
      </Suspense>
    );
  }
  if (path === "/andon" || session.data?.via === "screen") {
    return (
      <Suspense fallback={null}>
        <AndonPage />
      </Suspense>
    );
  }
  if (session.isPending) return null;
  if (session.isError) {
    return (
      <main className="door">
        <Failure error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  }
  if (!session.data) {
    return (
      <Suspense fallback={null}>
        <SignInPage />
      </Suspense>
    );
  }
  return <Plant />;
}

function Plant() {
  const [path] = useLocation();
  useHubNotices();
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, []);
  return (
    <Shell>
      <Fence at={path}>
        <Suspense fallback={<Skeleton rows={6} />}>
          <Switch>
            <Route path="/" component={OverviewPage} />
            <Route path="/asset/*" component={AssetPage} />
            <Route path="/compare" component={ComparePage} />
            <Route path="/explorer" component={ExplorerPage} />
            <Route path="/signal/:id" component={SignalPage} />
            <Route path="/trend" component={TrendPage} />
            <Route path="/oee" component={OeePage} />
            <Route path="/waveform" component={WaveformPage} />
            <Route path="/maintenance" component={MaintenancePage} />
            <Route path="/maintenance/machine/*" component={MachinePage} />
            <Route path="/maintenance/case/:id" component={CasePage} />
            <Route path="/vibration-sensor" component={SensorPage} />
            <Route path="/sources" component={SourcesPage} />
            <Route path="/configuration/*" component={ConfigurationPage} />
            <Route path="/connect" component={ConnectPage} />
            <Route path="/events" component={EventsPage} />
            <Route path="/operators" component={OperatorsPage} />
            <Route path="/models" component={ModelsPage} />
            <Route path="/models/:name/:version" component={ModelPage} />
            <Route path="/health" component={HealthPage} />
            <Route path="/settings/writes" component={WritesPage} />
            <Route path="/settings" component={SettingsPage} />
            <Route>
              <Empty action={<a href="/">{t("error.home")}</a>}>{t("error.page")}</Empty>
            </Route>
          </Switch>
        </Suspense>
      </Fence>
    </Shell>
  );
}
