"""OPC UA: subscriptions or polling of any OPC UA server."""
