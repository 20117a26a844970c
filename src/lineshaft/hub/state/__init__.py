"""What the hub must remember beside samples: people, the catalogue, sources, events and the gap ledger."""
