"""What test modules share: samples, things that write messages and files, and the deployed stack's other side."""
