"""The colours of lines and words in the room's figures."""

INK, PALE, GREY = "#1f2933", "#7b8794", "#9aa5b1"
BLUE, GREEN, ORANGE, RED = "#2563eb", "#0f766e", "#d97706", "#dc2626"
