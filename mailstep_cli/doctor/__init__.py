"""`mailstep doctor`: small named checks of a deployment, each of which says what is wrong and what to do about it."""
