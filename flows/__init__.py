"""What a journey is and means: pure functions over values; never SQL, network, clock or chance."""
