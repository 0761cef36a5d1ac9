"""FReD's encoder: the network, its weights, the script that trained it, and the embedder made of it."""
