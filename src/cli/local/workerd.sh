#!/bin/sh
# Runs workerd ($MODFERRY_WORKERD), and ends it when the process that started it has ended, also by
# SIGKILL. File descriptor 3 is the control channel to that process, which never writes to it: a
# read from it ends when that process does. `exec` gives workerd the process id of this shell, $$.
# That id may belong to another program by then, if workerd ended first, so its name is compared.
(
  read -r _
  read -r name </proc/$$/comm || name=$(ps -o comm= -p $$)
  case $name in *workerd*) kill -KILL $$ ;; esac
) <&3 3<&- >/dev/null 2>&1 &
exec "$MODFERRY_WORKERD" "$@"
