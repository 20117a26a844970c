"""From MQTT to committed rows: the Sparkplug host application, the journal, and blocks for the historian."""

from lineshaft.hub.ingest.commit import CommitLimits
from lineshaft.hub.ingest.counters import IngestFigures
from lineshaft.hub.ingest.host import BrokerLogin
from lineshaft.hub.ingest.ingest import Ingest, IngestSettings
from lineshaft.hub.ingest.intake import IntakeSettings

__all__ = ["BrokerLogin", "CommitLimits", "Ingest", "IngestFigures", "IngestSettings", "IntakeSettings"]
