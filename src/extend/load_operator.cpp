// SPDX-License-Identifier: Apache-2.0
#include "extend/load_operator.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "base/identifier.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/process.hpp"
#include "ops/registry.hpp"

namespace mote {

namespace {

namespace fs = std::filesystem;

constexpr auto compiler_timeout = std::chrono::seconds(120);
constexpr size_t shown_problems = 5;

using Headers = std::map<std::string, std::string>;  // by file name

// 64-bit FNV-1a.
class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    value_ = (value_ ^ 0xFFU) * 0x100000001B3U;  // the end of one text is not the start of the next
  }
  [[nodiscard]] std::string text() const { return fmt::format("{:016x}", value_); }

 private:
  uint64_t value_ = 0xCBF29CE484222325U;
};

std::string compiler() {
  const char* const chosen = std::getenv("CXX");
  return chosen != nullptr && *chosen != '\0' ? chosen : "g++";
}

Headers headers_beside(const fs::path& source) {
  Headers headers;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::absolute(source).parent_path())) {
    if (entry.path().extension() == ".hpp") headers[entry.path().filename().string()] = read_text(entry.path());
  }
  return headers;
}

bool is_for_operators(std::string_view path) {
  return path.starts_with("src/") || path.starts_with("kernels/") || path.starts_with("generated/");
}

std::string content_name(const std::string& source, const Headers& headers) {
  Fingerprint fingerprint;
  fingerprint.add(MOTE_VERSION);
  fingerprint.add(compiler());
  fingerprint.add(source);
  for (const auto& [name, text] : headers) fingerprint.add(name), fingerprint.add(text);
  for (const EmbeddedFile& file : embedded_files()) {
    if (is_for_operators(file.path)) fingerprint.add(file.path), fingerprint.add(file.text);
  }
  return fingerprint.text();
}

// A folder that nobody else may write to: what lies there is loaded as code.
fs::path cache_directory() {
  const fs::path path = fs::temp_directory_path() / fmt::format("mote-operators-{}", geteuid());
  (void)mkdir(path.c_str(), 0700);
  struct stat found {};
  require(lstat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid() &&
              (found.st_mode & 022) == 0,
          "{} is not a folder that only you may write to; remove it", path.string());
  return path;
}

// The lines of a compiler's output that say what is wrong.
std::string to_the_point(const std::string& output) {
  std::string text;
  size_t found = 0;
  for (size_t begin = 0; begin < output.size();) {
    const size_t end = std::min(output.find('\n', begin), output.size());
    const std::string_view line = std::string_view(output).substr(begin, end - begin);
    begin = end + 1;
    if (line.find("error:") == std::string_view::npos) continue;
    if (++found <= shown_problems) text += fmt::format("\n  {}", line);
  }
  if (found > shown_problems) text += fmt::format("\n  and {} more", found - shown_problems);
  return found > 0 ? text : "\n" + tail(output, 10);
}

void compile(const fs::path& source, const Headers& headers, const fs::path& library) {
  require_program(compiler(), "g++ libfmt-dev libflatbuffers-dev");
  const TemporaryDirectory directory;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!is_for_operators(file.path)) continue;
    fs::create_directories((directory.path() / file.path).parent_path());
    write_file(directory.path() / file.path, file.text);
  }
  fs::create_directories(directory.path() / "kernels" / "user");
  for (const auto& [name, text] : headers) write_file(directory.path() / "kernels" / "user" / name, text);
  const fs::path result = directory.path() / "operator.so";
  std::vector<std::string> command{
      compiler(),    "-std=c++20", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-fno-diagnostics-show-caret",
      "-DFMT_SHARED"};
  for (const char* const folder : {"src", "kernels", "generated"}) {
    command.push_back("-I" + (directory.path() / folder).string());
  }
  command.insert(command.end(), {source.string(), "-o", result.string()});
  const ProcessResult compiled = run_process(command, compiler_timeout);
  require(!compiled.timed_out, "{} did not end within {} s", compiler(), compiler_timeout.count());
  require(compiled.exit_status == 0, "does not compile:{}", to_the_point(compiled.errors + compiled.output));
  // Another process may make the same file: it appears whole or not at all.
  const fs::path almost = fmt::format("{}.{}", library.string(), getpid());
  fs::copy_file(result, almost, fs::copy_options::overwrite_existing);
  fs::rename(almost, library);
}

// The definition stays: operators of it may live until the program ends.
const OpDef& definition_in(const fs::path& library, const std::string& name) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) fail("compiles, but cannot be loaded: {}", dlerror());
  const std::string symbol = fmt::format("_ZN4mote2op{}{}E", name.size(), name);
  const void* const found = dlsym(handle, symbol.c_str());
  require(found != nullptr,
          "defines no operator: `extern const OpDef {}` is missing in namespace mote::op; it must be named as its "
          "file",
          name);
  return *static_cast<const OpDef*>(found);
}

}  // namespace

void load_operator(const fs::path& source) {
  try {
    const std::string name = source.stem().string();
    require(source.extension() == ".cpp", "is no C++ file (.cpp)");
    require(to_identifier(name) == name, "its name '{}' cannot be that of an operator; use letters and digits",
            name);
    const Headers headers = headers_beside(source);
    const fs::path library = cache_directory() / (content_name(read_text(source), headers) + ".so");
    if (!fs::exists(library)) compile(source, headers, library);
    const OpDef& definition = definition_in(library, name);
    require(!definition.tflite.empty(), "its OpDef '{}' lists no operator of a file format", name);
    op::add_operator(definition);
    for (const auto& [header, text] : headers) add_embedded_file("kernels/user/" + header, text);
  } catch (const Error& problem) {
    fail("{}: {}", source.string(), problem.what());
  }
}

}  // namespace mote
