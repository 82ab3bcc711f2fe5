# GrainStore: building, testing, checking. `make` alone lists what it can do.
#
#   CONFIG=debug|release|asan|tsan|cover|fuzz   CC=gcc|clang
#   BUILD=<directory>   EXTRA=<more flags for the compiler>
#
# Sources are found by name: core/<layer>/**.c becomes an archive of its layer,
# ctest/<layer>/<x>_test.c a program that is linked with no other layers than
# the table below allows, lua/binding/*.c the Lua module.

CONFIG ?= debug
BUILD ?= build
PREFIX ?= /usr/local
LUADIR ?= $(PREFIX)/share/lua/5.4
LIBDIR ?= $(PREFIX)/lib/lua/5.4
BINDIR ?= $(PREFIX)/bin
LUA_CFLAGS ?= $(shell pkg-config --cflags lua5.4)
CODECS := liblz4 libzstd
CODEC_CFLAGS ?= $(shell pkg-config --cflags $(CODECS))
CODEC_LIBS ?= $(shell pkg-config --libs $(CODECS))
FUZZ_SECONDS ?= 60
ifeq ($(origin CC),default)
CC := gcc
endif

# ---- Layers ------------------------------------------------------------------
# Which layer may include which. The spec spec/house/layers_spec.lua reads this
# table; the link of each test program obeys it.

LAYERS := base code env data wal mem sst merge tree store lab
uses_base :=
uses_code := base
uses_env := base
uses_data := base code
uses_wal := base code env
uses_mem := base code env data
uses_sst := base code env data
uses_merge := base data
uses_tree := base code env data wal
uses_store := base code env data wal mem sst merge tree
uses_lab := base code env data wal mem sst tree

# The layers that layer $1 stands on, directly or not, uppermost first: the
# order in which a linker wants their archives.
reach = $(sort $1 $(foreach u,$(uses_$1),$(call reach,$u)))
DOWNWARD := lab store tree merge sst mem wal data env code base
downward = $(foreach l,$(DOWNWARD),$(filter $l,$1))

# ---- Configurations ----------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
  -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-align -Wwrite-strings \
  -Wundef -Werror

flags_debug := -Og -DGS_DEBUG
flags_release := -O2
# Sanitizers make gcc see uninitialized variables where there are none.
calm := $(if $(findstring clang,$(CC)),,-Wno-maybe-uninitialized)
flags_asan := -O1 -g1 -DGS_DEBUG -fsanitize=address,undefined \
  -fno-sanitize-recover=all $(calm)
flags_tsan := -O1 -g1 -DGS_DEBUG -fsanitize=thread $(calm)
flags_cover := -O0 -DGS_DEBUG --coverage
flags_fuzz := -O2 -DGS_DEBUG -fsanitize=address,undefined,fuzzer-no-link \
  -fno-sanitize-recover=all
ifeq ($(flags_$(CONFIG)),)
$(error CONFIG is one of debug release asan tsan cover fuzz, not "$(CONFIG)")
endif

STANDARD := -std=c11 -D_GNU_SOURCE
CFLAGS := $(STANDARD) $(WARNINGS) -g -fPIC -pthread -fno-omit-frame-pointer \
  -fno-semantic-interposition $(flags_$(CONFIG)) $(EXTRA)
LDFLAGS := -pthread $(filter -fsanitize=% --coverage,$(flags_$(CONFIG)))

# A sanitized module lives in a Lua that is not sanitized, whose loader puts the
# runtime before it; libtsan in no other process, since shells do not bear it.
# The module stays mapped to the end so that reports can name its lines.
LUA := lua5.4
ifneq ($(filter asan tsan,$(CONFIG)),)
LDFLAGS += -Wl,-z,nodelete
runtime_gcc = $(shell $(CC) -print-file-name=lib$(CONFIG).so)
runtime_clang = $(shell $(CC) -print-file-name=libclang_rt.$(CONFIG)-x86_64.so)
runtime = $(runtime_$(if $(findstring clang,$(CC)),clang,gcc))
lua = $(shell command -v lua5.4)
loader = $(shell readelf -l $(lua) | sed -n 's/.*interpreter: \(.*\)]/\1/p')
lua_asan = env LD_PRELOAD=$(runtime) $(lua)
lua_tsan = $(WRAP) $(loader) --preload $(runtime) $(lua)
LUA = $(lua_$(CONFIG))
endif
# Of freed memory 16 MiB stay closed instead of 256, and where it was taken is
# known by eight frames instead of thirty: half of the time of many tests was the
# system handing out pages that were never touched before.
ifeq ($(CONFIG),asan)
export ASAN_OPTIONS ?= quarantine_size_mb=16:malloc_context_size=8:$\
  allocator_release_to_os_interval_ms=-1
endif
# ThreadSanitizer wants its addresses unshuffled where a kernel shuffles much.
ifeq ($(CONFIG),tsan)
WRAP := $(shell setarch -R true 2>/dev/null && echo setarch -R)
endif

B := $(BUILD)/$(CONFIG)$(if $(filter-out gcc,$(CC)),-$(notdir $(CC)))

# GS_STRIDE=<n> leaves out most states of the families of tests. They have one
# thread, in which the thread sanitizer sees nothing.
stride_tsan := 20
ifneq ($(stride_$(CONFIG)),)
export GS_STRIDE ?= $(stride_$(CONFIG))
endif

# ---- What there is -----------------------------------------------------------

sources_of = $(sort $(wildcard core/$1/*.c core/$1/*/*.c))
objects = $(patsubst %.c,$B/obj/%.o,$1)
present = $(foreach l,$1,$(if $(call sources_of,$l),$l))
archives = $(patsubst %,$B/lib/libgs_%.a,$(call downward,$(call present,$1)))
programs_of = $(patsubst %.c,$B/%,$(sort $(wildcard ctest/$1/*_test.c)))

ENGINE := $(foreach l,$(LAYERS),$(call sources_of,$l))
BINDING := $(sort $(wildcard lua/binding/*.c))
HELPERS := $(sort $(wildcard ctest/support/*.c))
SPECS := $(sort $(shell find spec examples -name '*_spec.lua' 2>/dev/null))
FUZZERS := $(sort $(wildcard ctest/fuzz/*_fuzz.c))
C_FILES := $(sort $(shell find core lua ctest -name '*.[ch]' 2>/dev/null))

ARCHIVES := $(call archives,$(LAYERS))
SUPPORT := $(if $(HELPERS),$B/lib/support.a)
REPLAYS := $(FUZZERS:ctest/fuzz/%_fuzz.c=$B/ctest/fuzz/%_replay)
TESTS := $(foreach l,$(LAYERS) binding bench/peers,$(call programs_of,$l)) \
  $(REPLAYS)
MODULE := $(if $(BINDING),$B/lua/grainstore/core.so)
LIBRARY := $B/lib/libgrainstore.a \
  $(if $(wildcard core/grainstore.h),$B/lib/libgrainstore.so)

# ---- Every day ---------------------------------------------------------------

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:
.DEFAULT_GOAL := help
.PHONY: _always

# House specs read sources, so one configuration is enough for them.
RUN = GS_BUILD=$B GS_LUA='$(LUA)' WRAP='$(WRAP)' .ci/tests
ifneq ($(CONFIG),debug)
SPECS := $(filter-out spec/house/%,$(SPECS))
endif

# Long computations in Lua that open few handles: sanitizers of C see little.
PURE := $(wildcard spec/policy/*_spec.lua) $(patsubst %,spec/%_spec.lua, \
  testing/plan_model testing/check_policy lab/agree lab/recorded lab/shadow)
ifeq ($(CONFIG),asan)
SPECS := $(filter-out $(PURE),$(SPECS))
endif

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][-a-z0-9_%]*:.*## / \
	  { printf "  make %-32s %s\n", $$1, $$2 }' Makefile

.PHONY: all
all: $(ARCHIVES) $(LIBRARY) $(MODULE) ## archives, libraries and the Lua module

.PHONY: test
test: all $(TESTS) ## every cmocka test and every busted spec
	@$(RUN) $(TESTS) $(SPECS)

.PHONY: ctest
ctest: $(TESTS) ## every cmocka test
	@$(RUN) $(TESTS)

ctest-%: $$(call programs_of,$$*) ## the cmocka tests of one layer: ctest-wal
	@$(RUN) $^

.PHONY: ctest-bench
ctest-bench: $(call programs_of,bench/peers) ## tests of the benchmark itself
	@$(RUN) $^

.PHONY: ctest-fuzz
ctest-fuzz: $(REPLAYS) ## the corpus of every fuzz target, without a fuzzer
	@$(RUN) $^

.PHONY: spec
spec: all ## every busted spec
	@$(RUN) $(SPECS)

matching = $(foreach s,$(SPECS),$(if $(findstring $1,$s),$s))
spec-%: all ## specs with a word in their path: spec-house
	@$(RUN) $(call matching,$*)

.PHONY: demo
demo: ## a tour of the Lua module
	@$(MAKE) CONFIG=release all
	@LUA_PATH='lua/?.lua;lua/?/init.lua;;' \
	  LUA_CPATH='$(BUILD)/release/lua/?.so;;' lua5.4 examples/demo.lua

bench-%: ## one program of ctest/bench, with arguments from ARGS
	@$(MAKE) CONFIG=release $(BUILD)/release/ctest/bench/$*
	@$(BUILD)/release/ctest/bench/$* $(ARGS)

.PHONY: bench
bench: ## GrainStore beside its peers: ARGS=--help
	@$(MAKE) CONFIG=release $(BUILD)/release/ctest/bench/compare
	@$(BUILD)/release/ctest/bench/compare --dir=$(BUILD)/peers $(ARGS)

.PHONY: bench-lua
bench-lua: ## the module beside C and what else Lua offers: ARGS=--help
	@$(MAKE) CONFIG=release $(BUILD)/release/ctest/bench/lua/grainstore/core.so
	@mkdir -p $(BUILD)/peers
	@LUA_PATH='ctest/bench/lua/?.lua;lua/?.lua;lua/?/init.lua;;' \
	  LUA_CPATH='$(BUILD)/release/ctest/bench/lua/?.so;;' \
	  $(LUA) ctest/bench/lua/main.lua --dir=$(BUILD)/peers $(ARGS)

.PHONY: install
install: install-lua ## library, headers and Lua module under PREFIX
	@$(MAKE) CONFIG=release _install

.PHONY: install-lua
install-lua: ## the Lua module and the program, into LUADIR, LIBDIR, BINDIR
	@$(MAKE) CONFIG=release _install-lua

.PHONY: clean
clean: ## removes all that was built
	rm -rf $(BUILD)

.PHONY: deps
deps: ## installs what all of this needs (Debian packages)
	@CC=$(CC) .ci/deps

# ---- Groups of specs that go together ----------------------------------------

group = $(RUN) spec/seed/$(subst -,_,$@)_spec.lua

.PHONY: test-lsm-tombstone-compaction
test-lsm-tombstone-compaction: all ## how puts and tombstones merge
	@$(group)

.PHONY: test-cluster-grainstore
test-cluster-grainstore: all ## the u32 store as a cluster node uses it
	@$(group)

.PHONY: test-lsm-grainstore-bytes-replay
test-lsm-grainstore-bytes-replay: all ## what a log brings back
	@$(group)

.PHONY: test-lsm-grainstore-manifest
test-lsm-grainstore-manifest: all ## what a manifest brings back
	@$(group)

.PHONY: test-stl-lsm-store-v2
test-stl-lsm-store-v2: all ## the second generation of the store
	@$(group)

# ---- Long runs ---------------------------------------------------------------
# The same tests as every day, for longer. GS_SEED and GS_MODEL_SEED repeat a
# run. Families are what .ci/torture says.

SCALE ?= 1
torture = GS_BUILD=$B GS_LUA='$(LUA)' GS_SCALE=$(SCALE) TIME_LIMIT=86400 \
  FAMILIES='$(FAMILIES)' .ci/torture
families = $(patsubst ctest/%,$B/ctest/%,$(shell $(torture) list))

.PHONY: torture
torture: all $$(filter $B/%,$$(families)) ## families: SCALE=10 FAMILIES="8 9"
	@$(torture) run $(families)

.PHONY: model
model: all ## a million random operations against a plain Lua table
	@GS_MODEL_OPS=$${GS_MODEL_OPS:-1000000} TIME_LIMIT=7200 \
	  $(RUN) spec/model/random_spec.lua
	@grep operations $B/log/spec/model/random_spec.lua.log

.PHONY: lab-agree
lab-agree: ## the lab beside the engine, 2 GiB per run: ARGS="dir 2 zipf tiered"
	@$(MAKE) CONFIG=release all
	@LUA_PATH='./?.lua;lua/?.lua;lua/?/init.lua;;' \
	  LUA_CPATH='$(BUILD)/release/lua/?.so;;' \
	  lua5.4 spec/lab/agree.lua $(or $(ARGS),$(BUILD)/agree-store)

.PHONY: lab-scale
lab-scale: ## a terabyte and 10^10 writes in the lab, every policy: ARGS=tiered
	@$(MAKE) CONFIG=release all
	@LUA_PATH='./?.lua;lua/?.lua;lua/?/init.lua;;' \
	  LUA_CPATH='$(BUILD)/release/lua/?.so;;' lua5.4 spec/lab/scale.lua $(ARGS)

.PHONY: kill
kill: all ## a writer killed two hundred times, and what it left
	@GS_KILL_ROUNDS=$${GS_KILL_ROUNDS:-200} TIME_LIMIT=7200 \
	  $(RUN) spec/model/kill_spec.lua
	@grep rounds $B/log/spec/model/kill_spec.lua.log

.PHONY: golden
golden: all ## writes the golden stores of the present format anew
	@LUA_PATH='./?.lua;lua/?.lua;lua/?/init.lua;;' LUA_CPATH='$B/lua/?.so;;' \
	  $(LUA) spec/golden/make.lua

.PHONY: planted
planted: | _deps ## faults planted one by one, and what catches each: BUGS="7 12"
	@lua5.4 ctest/planted/run.lua $(BUILD) $(BUGS)

# ---- Checks ------------------------------------------------------------------

.PHONY: asan ubsan
asan: ## the tests under the address and undefined behaviour sanitizers
	@$(MAKE) CONFIG=asan test
ubsan: asan ## the same as asan

# What has one thread and takes long shows the thread sanitizer nothing: sweeps,
# examples on a simulated machine, and the lab, which has no threads at all.
ALONE := $(filter $B/ctest/lab/%,$(TESTS)) \
  $(patsubst %,$B/ctest/%_test,wal/replay_sweep wal/frame_repair \
  sst/table_cursor sst/table_verify merge/drop binding/alloc store/crash \
  store/fault store/memory store/recover store/repair store/trace \
  store/verify_path tree/manifest_crash tree/manifest_read tree/plan \
  tree/plan_dead tree/plan_pair tree/plan_random)
DEEP := $(filter spec/torture/% spec/testing/% spec/policy/% spec/model/% \
  spec/lab/%,$(SPECS)) $(patsubst %,spec/%_spec.lua,binding/budget \
  grainstore/survival grainstore/hostile_policy) \
  examples/job_queue_spec.lua examples/sessions_policy_spec.lua

.PHONY: tsan
tsan: ## what has threads under the thread sanitizer
	@$(MAKE) CONFIG=tsan _tsan
.PHONY: _tsan
_tsan: all $(filter-out $(ALONE),$(TESTS))
	@$(RUN) $(filter-out $(ALONE),$(TESTS)) $(filter-out $(DEEP),$(SPECS))

.PHONY: valgrind
valgrind: WRAP := valgrind --quiet --leak-check=full --error-exitcode=99
valgrind: $(TESTS) ## every cmocka test under valgrind
	@$(RUN) $(TESTS)

# What opens few handles, or the same ones very often.
HEAVY := spec/torture/% $(patsubst %,spec/%_spec.lua,testing/crash \
  grainstore/survival lab/agree lab/recorded lab/shadow)

.PHONY: hostile
hostile: ## the module under two collectors that never rest, with asan
	@$(MAKE) CONFIG=asan _hostile COLLECTOR=generational
	@$(MAKE) CONFIG=asan _hostile COLLECTOR=incremental

.PHONY: _hostile
_hostile: all
	@GS_COLLECTOR=$(COLLECTOR) HELPER=spec/support/hostile.lua \
	  $(RUN) $(filter-out $(HEAVY),$(SPECS))

.PHONY: asan-rest
asan-rest: ## of asan, what hostile leaves out
	@$(MAKE) CONFIG=asan _asan-rest
.PHONY: _asan-rest
_asan-rest: all $(TESTS)
	@$(RUN) $(TESTS) $(filter $(HEAVY) spec/binding/handle_spec.lua,$(SPECS))

.PHONY: fuzz
fuzz: ## every fuzz target of ctest/fuzz, a few at a time
	@$(MAKE) CONFIG=fuzz CC=clang \
	  $(FUZZERS:%.c=$(BUILD)/fuzz-clang/%)
	@printf '%s\n' $(FUZZERS:ctest/fuzz/%_fuzz.c=fuzz-%) | \
	  xargs -n 1 -P "$$(nproc)" $(MAKE) --no-print-directory

# Targets that run whole stores would spend most of their time on weighing
# inputs, and those with a Lua inside on looking for leaks after each: a Lua
# keeps memory, and they ask their machines themselves what is left.
fuzz_flags_directory := -entropic=0
fuzz_flags_lua_options := -entropic=0 -detect_leaks=0
fuzz_flags_lua_plan := -entropic=0 -detect_leaks=0

fuzz-%: ## one fuzz target, fed with random bytes for FUZZ_SECONDS
	@$(MAKE) CONFIG=fuzz CC=clang $(BUILD)/fuzz-clang/ctest/fuzz/$*_fuzz
	@mkdir -p $(BUILD)/corpus/$*
	@ASAN_OPTIONS=malloc_context_size=4:$$ASAN_OPTIONS \
	  $(BUILD)/fuzz-clang/ctest/fuzz/$*_fuzz -verbosity=0 \
	  -max_total_time=$(FUZZ_SECONDS) \
	  $(fuzz_flags_$*) $(FUZZ_FLAGS) -artifact_prefix=$(BUILD)/corpus/$*- \
	  $(BUILD)/corpus/$* ctest/fuzz/corpus/$*

.PHONY: corpus
corpus: $B/ctest/fuzz/seeds ## writes the seeds of ctest/fuzz/corpus anew
	@rm -rf ctest/fuzz/corpus
	@$< ctest/fuzz/corpus

.PHONY: cover
cover: | _deps ## which lines of core/ no test runs; fails below 90 %
	@find $(BUILD)/cover -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) CONFIG=cover test; tested=$$?; \
	  gcovr --root . --filter core/ --object-directory $(BUILD)/cover/obj \
	  --fail-under-line 90 $(BUILD)/cover/obj && exit $$tested

.PHONY: lint
lint: lint-format lint-cppcheck lint-tidy lint-lua ## all of these, in silence

.PHONY: lint-format
lint-format: | _deps ## is the C code formatted as clang-format does it?
	@clang-format --dry-run -Werror $(C_FILES)

.PHONY: lint-cppcheck
lint-cppcheck: | _deps ## what cppcheck says of core and lua
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	  --suppress=uninitvar --suppress=ctuuninitvar --inline-suppr \
	  --error-exitcode=1 -D_GNU_SOURCE -DGS_DEBUG -Icore \
	  $(filter core/%.c lua/%.c,$(C_FILES))

.PHONY: lint-lua
lint-lua: | _deps ## what luacheck says
	@luacheck --quiet --formatter plain $(wildcard lua spec examples ctest)

TIDY = $(patsubst %.c,$(BUILD)/lint/%.tidy,$(filter-out \
  $(ABSENT:%=ctest/bench/peers/engine_%.c),$(filter %.c,$(C_FILES))))
.PHONY: lint-tidy
lint-tidy: $$(TIDY) ## what clang-tidy says

$(BUILD)/lint/%.tidy: %.c $(filter %.h,$(C_FILES)) .clang-tidy | _deps
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(STANDARD) -DGS_DEBUG -Icore -Ictest -Ilua/binding \
	  $(LUA_CFLAGS) > $@.log 2>&1 && mv $@.log $@ || \
	  { cat $@.log; exit 1; }

.PHONY: format
format: | _deps ## rewrites all C files in the house style
	@clang-format -i $(C_FILES)

# ---- How things are made -----------------------------------------------------

# What only builds needs no test tools.
goals := $(MAKECMDGOALS:lint-%=lint)
builds := all demo bench bench-% install install-lua _install%
purposes := build $(filter lint cover valgrind,$(goals:format=lint)) \
  $(if $(filter-out $(builds),$(goals)),test)
.PHONY: _deps
_deps:
	@CC=$(CC) .ci/deps $(purposes)

# Another compiler or another flag rewrites this file, and so builds anew.
HIDDEN := -fvisibility=hidden
version = $(shell $(CC) --version | head -n 1)
identity = $(version) $(CFLAGS) $(HIDDEN) $(LDFLAGS)
$B/flags: _always | _deps
	@mkdir -p $(@D)
	@echo '$(identity)' | cmp -s - $@ || echo '$(identity)' > $@

# What the public headers show is base and themselves; the rest stays inside.
includes = -Icore
$B/obj/core/base/%: includes = -Icore
$B/obj/core/%: includes = -Icore $(HIDDEN)
$B/obj/core/code/%: includes = -Icore $(HIDDEN) $(CODEC_CFLAGS)
# Checksums are at the bottom of every test, and xxHash is slow without this.
ifneq ($(CONFIG),cover)
$B/obj/core/code/%: CFLAGS += -O2
endif
$B/obj/ctest/%: includes = -Icore -Ictest
$B/obj/ctest/binding/%: includes = -Icore -Ictest $(LUA_CFLAGS)
$B/obj/lua/%: includes = -Icore $(LUA_CFLAGS)

$B/obj/%.o: %.c $B/flags
	@mkdir -p $(@D)
	@echo "  $(CC) $<"
	@$(CC) $(CFLAGS) $(includes) -MMD -MP -c -o $@ $<

# An archive also depends on its folders, which change when a file goes away.
define layer_rules
$B/lib/libgs_$1.a: $(call objects,$(call sources_of,$1)) \
  $(wildcard core/$1 core/$1/*/)
$(call programs_of,$1): $(SUPPORT) $(call archives,$(call reach,$1))
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$l)))
$B/lib/libgrainstore.a: $(call objects,$(ENGINE)) $(wildcard core/*/)

$B/lib/support.a: $(call objects,$(HELPERS)) $(wildcard ctest/support/)

$B/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $(filter %.o,$^)

link = mkdir -p $(@D) && \
  $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(CODEC_LIBS)

$B/ctest/%_test: $B/obj/ctest/%_test.o
	@$(link) -lcmocka -lm

# Tests of the module are programs with a Lua inside.
$B/ctest/binding/%_test: $B/obj/ctest/binding/%_test.o $(call objects,$(BINDING)) \
  $(SUPPORT) $(ARCHIVES)
	@$(link) $(shell pkg-config --libs lua5.4) -lcmocka -lm

# A target under a fuzzer, the same without one, and what makes their seeds.
# Targets named lua_* drive the Lua module, which is linked into them.
LUA_FUZZERS := $(patsubst ctest/fuzz/%_fuzz.c,$B/ctest/fuzz/%, \
  $(filter ctest/fuzz/lua_%,$(FUZZERS)))
LUA_LIBS = $(if $(filter lua_%,$(@F)),$(shell pkg-config --libs lua5.4))
$B/obj/ctest/fuzz/lua_%: includes = -Icore -Ictest $(LUA_CFLAGS)
$(LUA_FUZZERS:%=%_fuzz) $(LUA_FUZZERS:%=%_replay): $(call objects,$(BINDING))

$B/ctest/fuzz/%_fuzz: $B/obj/ctest/fuzz/%_fuzz.o $(SUPPORT) $(ARCHIVES)
	@$(link) $(LUA_LIBS) -fsanitize=fuzzer -lm

$B/ctest/fuzz/%_replay: $B/obj/ctest/fuzz/%_fuzz.o \
  $B/obj/ctest/fuzz/replay.o $(SUPPORT) $(ARCHIVES)
	@$(link) $(LUA_LIBS) -lcmocka -lm

$B/ctest/fuzz/seeds: $B/obj/ctest/fuzz/seeds.o $(SUPPORT) $(ARCHIVES)
	@$(link)

$B/ctest/bench/%: $B/obj/ctest/bench/%.o $(SUPPORT) $(ARCHIVES)
	@$(link) -lm

# An engine is compared with where its library is installed. The list of those
# that are is a file, so that another list builds anew.
PEERS := rocksdb leveldb lmdb wiredtiger sqlite
hash := \#
installed = $(shell echo '$(hash)include <$1>' | \
  $(CC) -E - >/dev/null 2>&1 && echo yes)
header_rocksdb := rocksdb/c.h
header_leveldb := leveldb/c.h
header_lmdb := lmdb.h
header_wiredtiger := wiredtiger.h
header_sqlite := sqlite3.h
library_sqlite := sqlite3
PRESENT = $(foreach p,$(PEERS),$(if $(call installed,$(header_$p)),$p))
ABSENT = $(filter-out $(PRESENT),$(PEERS))
# What the comparison is made of, but for its main program and the engines.
harness := codec costs data goals group growth head load picture reads report stall \
  tables work
compared = compare $(harness) $(foreach p,grainstore $(PRESENT),engine_$p)
rocksdb_version = $(shell pkg-config --modversion rocksdb 2>/dev/null)

$B/peers: _always
	@mkdir -p $(@D)
	@echo '$(PRESENT)' | cmp -s - $@ || echo '$(PRESENT)' > $@
$B/obj/ctest/bench/peers/%: includes = -Icore -Ictest \
  $(patsubst %,-DPEER_%,$(PRESENT)) -DROCKSDB_VERSION='"$(rocksdb_version)"'
$B/obj/ctest/bench/peers/compare.o: $B/peers
$B/ctest/bench/compare: \
  $$(patsubst %,$B/obj/ctest/bench/peers/%.o,$$(compared)) $(ARCHIVES)
	@$(link) $(foreach p,$(PRESENT),-l$(or $(library_$p),$p)) -lm

$(call programs_of,bench/peers): $B/ctest/bench/peers/%_test: \
  $B/obj/ctest/bench/peers/%_test.o \
  $(harness:%=$B/obj/ctest/bench/peers/%.o)
	@mkdir -p $(@D)
	@$(link) -lcmocka -lm

# The Lua benchmark's loops in C use the engine of the module: one library.
$B/obj/ctest/bench/lua/%: includes = -Icore -Ilua/binding $(LUA_CFLAGS)
$B/ctest/bench/lua/grainstore/core.so: $B/obj/ctest/bench/lua/pair.o \
  $(call objects,$(BINDING)) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '{ global: luaopen_grainstore_core; luaopen_pair; local: *; };' \
	  > $(@D)/exports
	@$(link) -shared -Wl,--version-script=$(@D)/exports

# The module exports its opener, the shared library what is marked GS_API.
$B/lua/grainstore/core.so: $(call objects,$(BINDING)) $(ARCHIVES)
	@mkdir -p $(@D)
	@echo '{ global: luaopen_grainstore_core; local: *; };' > $B/lua/exports
	@$(link) -shared -Wl,--version-script=$B/lua/exports -lm

$B/lib/libgrainstore.so: $(call objects,$(ENGINE))
	@$(link) -shared -Wl,-soname,libgrainstore.so.0 -lm

# ---- Installation ------------------------------------------------------------

PUBLIC := core/grainstore.h core/env/clocked.h core/env/sim.h
HEADERS = $(sort $(filter core/%,$(shell $(CC) -Icore -MM $(PUBLIC))))
ROOT := $(DESTDIR)$(PREFIX)

.PHONY: _install
_install: all
	@cd core && for header in $(HEADERS:core/%=%); do \
	  install -D -m 644 $$header $(ROOT)/include/grainstore/$$header; done
	@install -D -m 644 $B/lib/libgrainstore.a $(ROOT)/lib/libgrainstore.a
	@install $B/lib/libgrainstore.so $(ROOT)/lib/libgrainstore.so.0
	@ln -sf libgrainstore.so.0 $(ROOT)/lib/libgrainstore.so

# The program finds the module wherever it was installed.
paths = package.path = "$(LUADIR)/?.lua;$(LUADIR)/?/init.lua;" .. package.path\n\
package.cpath = "$(LIBDIR)/?.so;" .. package.cpath
.PHONY: _install-lua
_install-lua: $(MODULE)
	@install -D $(MODULE) $(DESTDIR)$(LIBDIR)/grainstore/core.so
	@cd lua && find grainstore -name '*.lua' \
	  -exec install -D -m 644 {} $(DESTDIR)$(LUADIR)/{} \;
	@install -D lua/bin/grainstore $(DESTDIR)$(BINDIR)/grainstore
	@sed -i '1a $(paths)' $(DESTDIR)$(BINDIR)/grainstore

-include $(shell find $B/obj -name '*.d' 2>/dev/null)
