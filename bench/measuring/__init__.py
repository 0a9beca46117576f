"""What bench/run is made of: where it measures, what it measures, how figures become documents."""
