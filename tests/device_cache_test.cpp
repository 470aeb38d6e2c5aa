// SPDX-License-Identifier: Apache-2.0
// Objects compiled before: when the compiler runs, and when it does not.
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/files.hpp"
#include "support/loaded_function.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;
using test::write_source;

// A compiler that writes down how it is called.
class CacheTest : public testing::Test {
 protected:
  CacheTest() {
    const fs::path compiler = tools_.path() / "counting-g++";
    set_version("1");
    write_file(compiler, fmt::format("#!/bin/sh\nif [ \"$1\" = --version ]; then cat {0}/version; exit; fi\n"
                                     "echo \"$@\" >>{0}/calls\nexec g++ \"$@\"\n",
                                     tools_.path().string()));
    fs::permissions(compiler, fs::perms::owner_all);
    compiler_ = compiler.string();
    target_.compiler = compiler_;
  }

  void set_version(const std::string& text) const { write_file(tools_.path() / "version", text); }

  // How often something was compiled, beyond reading it.
  size_t compile() {
    const TemporaryDirectory folder;
    fs::remove(tools_.path() / "calls");
    const FunctionImage image = build_function(request_, target_, folder.path(), ObjectCache(cache()));
    size_t calls = 0, fresh = 0;
    const std::string text = read_text(tools_.path() / "calls");
    for (size_t at = text.find(" -c "); at != std::string::npos; at = text.find(" -c ", at + 1)) ++calls;
    for (const FunctionObject& object : image.objects) {
      fresh += object.cached ? 0 : 1;
      EXPECT_EQ(read_text(object.object).substr(1, 3), "ELF");
      EXPECT_NE(read_text(object.frames).find("graph: {"), std::string::npos);
    }
    EXPECT_EQ(calls, fresh);
    objects_ = read_file(image.objects[0].object);
    return calls;
  }

  fs::path cache() const { return tools_.path() / "cache" / "mote"; }

  std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(cache())) found.push_back(entry.path());
    return found;
  }

  TemporaryDirectory tools_, sources_;
  std::string compiler_;
  Target target_ = test::native_target();
  FunctionRequest request_ =
      write_source(sources_, "f.cpp", "#include \"f.h\"\nint f(int x) { return x + offset; }\n", "f");
  fs::path header_ = write_source(sources_, "f.h", "const int offset = 1;\n", "").source;
  Bytes objects_;
};

TEST_F(CacheTest, CompilesOnce) {
  EXPECT_EQ(compile(), 2U);  // the function, and what starts it
  const Bytes first = objects_;
  EXPECT_EQ(compile(), 0U);
  EXPECT_EQ(objects_, first);
}

TEST_F(CacheTest, CompilesAgainWhatMayDiffer) {
  EXPECT_EQ(compile(), 2U);
  write_file(header_, "const int offset = 2;\n");
  EXPECT_EQ(compile(), 1U);
  request_.flags = "-O3";
  EXPECT_EQ(compile(), 1U);
  request_.defines = {"UNUSED"};  // the text is the same
  EXPECT_EQ(compile(), 0U);
  write_file(request_.source, "\n" + read_text(request_.source));  // lines of the debugger
  EXPECT_EQ(compile(), 1U);
  set_version("2");
  EXPECT_EQ(compile(), 2U);
}

TEST_F(CacheTest, BrokenEntriesAreAsIfNotThere) {
  EXPECT_EQ(compile(), 2U);
  const Bytes whole = objects_;
  for (const fs::path& entry : entries()) fs::resize_file(entry, fs::file_size(entry) / 2);
  EXPECT_EQ(compile(), 2U);
  for (const fs::path& entry : entries()) {
    Bytes bytes = read_file(entry);
    bytes[bytes.size() / 2] ^= std::byte{1};
    write_file(entry, bytes);
  }
  EXPECT_EQ(compile(), 2U);
  for (const fs::path& entry : entries()) write_file(entry, std::string_view());
  EXPECT_EQ(compile(), 2U);
  EXPECT_EQ(compile(), 0U);
  EXPECT_EQ(objects_, whole);
}

TEST_F(CacheTest, AFolderThatCannotBeIsNoProblem) {
  fs::create_directories(cache().parent_path());
  write_file(cache(), std::string_view("a file"));
  EXPECT_EQ(compile(), 2U);
  EXPECT_EQ(compile(), 2U);
}

TEST_F(CacheTest, ServesManyAtOnce) {
  const ObjectCache shared(cache());
  const CompiledObject one{Bytes(100'000, std::byte{7}), "frames"};
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0}, found{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        shared.store("abc", one);
        const std::optional<CompiledObject> back = shared.find("abc");
        if (!back) continue;
        ++found;
        if (back->object != one.object || back->frames != one.frames) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(found, 200);
  EXPECT_EQ(entries().size(), 1U);  // nothing half written is left
}

TEST_F(CacheTest, TheLeastRecentlyUsedGo) {
  const ObjectCache small(cache(), 3000);
  const CompiledObject one{Bytes(900), ""};
  const auto ago = [&](const char* key, int hours) {
    fs::last_write_time(cache() / (std::string(key) + ".object"),
                        fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  small.store("a", one);
  small.store("b", one);
  small.store("c", one);
  ago("a", 3), ago("b", 2), ago("c", 1);
  EXPECT_TRUE(small.find("a"));  // now the latest
  small.store("d", one);
  EXPECT_FALSE(small.find("b"));
  EXPECT_TRUE(small.find("a") && small.find("c") && small.find("d"));
}

TEST(CacheFolder, IsWhereTheUserWantsIt) {
  const char* const home = std::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  setenv("HOME", "/home/somebody", 1);
  setenv("XDG_CACHE_HOME", "/var/somewhere", 1);
  EXPECT_EQ(user_cache_directory(), fs::path("/var/somewhere/mote"));
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(user_cache_directory(), fs::path("/home/somebody/.cache/mote"));
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(user_cache_directory(), std::nullopt);
  setenv("HOME", before.c_str(), 1);
}

TEST_F(CacheTest, EveryTargetCompilesItWithServices) {
  for (const Target* const target : target::all()) {
    if (target->compiler.empty()) continue;
    for (const char* const extension : {"c", "cpp"}) {
      const TemporaryDirectory folder;
      const FunctionRequest request = write_source(sources_, std::string("all.") + extension,
                                                   "#include <stdint.h>\n#include <mote/services.h>\n"
                                                   "double f(const int16_t* x, uint64_t n, float y[2][2], _Bool "
                                                   "flag) {\n  mote_log(\"f\");\n  mote_progress(1, 2);\n"
                                                   "  return flag ? (double)n / x[0] : (double)y[1][1]; }\n",
                                                   "f");
      FunctionRequest changed = request;
      if (std::string(extension) == "cpp") changed.defines = {"_Bool=bool"};
      EXPECT_EQ(build_function(changed, *target, folder.path(), ObjectCache(std::nullopt)).objects.size(), 2U)
          << target->name;
    }
  }
}

TEST_F(CacheTest, TheCompilersOwnWords) {
  write_file(request_.source, "int f(int x) { return y; }\n");
  try {
    (void)compile();
    FAIL();
  } catch (const Error& problem) {
    const std::string text = problem.what();
    EXPECT_NE(text.find("f.cpp:1:23: error: "), std::string::npos) << text;
    EXPECT_TRUE(text.starts_with("compiling entry.cpp for native: ")) << text;
  }
}

TEST_F(CacheTest, TheHostIsNoDevice) {
  try {
    (void)build_function(request_, find_target("host"), sources_.path(), ObjectCache(std::nullopt));
    FAIL();
  } catch (const Error& problem) {
    EXPECT_EQ(std::string(problem.what()),
              "host has no compiler; choose a target that is a device (`mote targets`)");
  }
}

}  // namespace
}  // namespace mote
