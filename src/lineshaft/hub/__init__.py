"""Layer 3: broker, ingest, historian, state, live stream, API and security."""
