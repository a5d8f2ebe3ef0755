"""How days and times are written where Django has no way of its own, or an American one."""
