// libgcc_s.so.1 of a system with glibc runs with musl, but for these.

#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>

// Its own, under old versions, of which musl knows nothing.
int __cpu_model[4];
void __cpu_indicator_init(void) {}

// The beginning of glibc's struct dl_find_object, all that is read.
struct object {
	unsigned long long flags;
	void *start, *end, *map, *frames;
};

struct search {
	ElfW(Addr) pc;
	void *frames;
};

static int look(struct dl_phdr_info *info, size_t size, void *data) {
	struct search *s = data;
	void *frames = NULL;
	int here = 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		ElfW(Addr) start = info->dlpi_addr + part->p_vaddr;
		if (part->p_type == PT_GNU_EH_FRAME)
			frames = (void *)start;
		if (part->p_type == PT_LOAD && s->pc - start < part->p_memsz)
			here = 1;
	}
	if (here)
		s->frames = frames;
	return here;
}

int _dl_find_object(void *pc, struct object *found) {
	struct search s = {(ElfW(Addr))pc, NULL};
	dl_iterate_phdr(look, &s);
	found->frames = s.frames;
	return s.frames ? 0 : -1;
}
