"""What Oracle would be told, held to a parser that knows Oracle and to rules of our own."""
