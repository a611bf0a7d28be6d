# A C project of 30 files and a library, built by two jobs, run, changed and built again.
for i in $(seq 30); do
    printf '#include <stdio.h>\n#include "all.h"\nint part_%s(void) { return snprintf(0, 0, "%%d", %s) + SHIFT; }\n' "$i" "$i" >p$i.c
    echo "int part_$i(void);" >>decl.h
    echo "    sum += part_$i();" >>calls.h
done
printf '#include "decl.h"\n#define SHIFT 1\n' >all.h
printf '#include <stdio.h>\n#include "all.h"\nint main(void) {\n    int sum = 0;\n#include "calls.h"\n    printf("sum %%d\\n", sum);\n    return 3;\n}\n' >main.c
cat >Makefile <<'T'
parts = $(patsubst %.c,%.o,$(wildcard p*.c))
program: main.o libparts.a
	cc -o $@ $^
libparts.a: $(parts)
	ar rcs $@ $^
%.o: %.c all.h
	cc -O1 -Wall -c -o $@ $<
fail:
	exit 5
T
make -s -j2; echo "make $?"
./program; echo "program $?"
touch all.h
make -s -j2; echo "again $?"
make -s -q; echo "nothing to do $?"
make -s fail 2>/dev/null; echo "fail $?"
echo 'int broken(' >p1.c
make -s -j2 -k 2>/dev/null; echo "broken $?"
