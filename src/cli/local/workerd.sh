#!/bin/sh
# Runs workerd ($MODFERRY_WORKERD), and ends it when the process that started it has ended, also by
# SIGKILL. `exec` gives workerd the process id of this shell, $$. The watch beside it looks every
# second, and ends with workerd. It keeps none of workerd's streams open, because the starting
# process waits for their end. The id may belong to another program by then, so its name is compared.
(
  while kill -0 "$PPID"; do
    kill -0 $$ || exit
    sleep 1
  done
  case $(ps -o comm= -p $$) in *workerd*) kill -KILL $$ ;; esac
) <&- >/dev/null 2>&1 3<&- &
exec "$MODFERRY_WORKERD" "$@"
