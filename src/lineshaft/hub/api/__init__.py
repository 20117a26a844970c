"""The HTTP and WebSocket interface of the hub; docs/guide/architecture.md says what each call gives."""
