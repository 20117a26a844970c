"""What a vibration waveform says about a machine."""
