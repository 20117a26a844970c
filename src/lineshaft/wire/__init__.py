"""What goes over the network: codecs, topic names and metric names. No sockets here."""
