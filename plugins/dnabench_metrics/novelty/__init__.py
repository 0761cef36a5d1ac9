"""How close generated sequences come to those that the generator was trained on."""
