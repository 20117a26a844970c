"""Replay: a recording is played through the whole chain as if it were a device."""
