"""What is carried to a plant on a stick: an archive that installs a gateway without a network."""
