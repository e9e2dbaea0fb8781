"""`mailstep doctor`: small named checks of a deployment, each with a remedy for what it finds."""
