// SPDX-License-Identifier: Apache-2.0
#include "base/output_directory.hpp"

#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mote {

namespace {

namespace fs = std::filesystem;

// What an earlier run says it wrote; empty when there is no report of ours.
std::set<std::string> files_of_earlier_run(const fs::path& directory) {
  std::ifstream stream(directory / "report.json");
  const nlohmann::json report = nlohmann::json::parse(stream, nullptr, false);
  std::set<std::string> files;
  if (!report.is_object() || !report.contains("files") || !report["files"].is_array()) return files;
  for (const nlohmann::json& file : report["files"]) {
    if (file.is_string()) files.insert(file.get<std::string>());
  }
  return files;
}

void require_replaceable(const fs::path& directory) {
  if (!fs::exists(directory)) return;
  require(fs::is_directory(directory), "{}: is a file; choose a folder for the output", directory.string());
  const std::set<std::string> ours = files_of_earlier_run(directory);
  std::string strangers;
  size_t count = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_directory()) continue;
    const std::string path = entry.path().lexically_relative(directory).generic_string();
    if (ours.count(path) != 0) continue;
    if (++count <= 3) strangers += (count > 1 ? ", " : "") + path;
  }
  if (count == 0) return;
  fail("{}: holds {} file{} that Mote did not write ({}{}); nothing was changed, choose an empty folder",
       directory.string(), count, count == 1 ? "" : "s", strangers, count > 3 ? ", ..." : "");
}

}  // namespace

void write_output_directory(const fs::path& directory, const OutputFiles& files) {
  const fs::path target = fs::absolute(directory).lexically_normal();
  const fs::path clean = target.has_filename() ? target : target.parent_path();
  require_replaceable(clean);
  // Beside the target, so that renaming is atomic; the process number keeps two runs and the user's files apart.
  const fs::path fresh = fmt::format("{}.mote-{}-new", clean.string(), getpid());
  const fs::path old = fmt::format("{}.mote-{}-old", clean.string(), getpid());
  try {
    fs::remove_all(fresh);
    fs::create_directories(fresh);
    for (const auto& [path, text] : files) {
      fs::create_directories((fresh / path).parent_path());
      write_file(fresh / path, text);
    }
    fs::remove_all(old);
    if (fs::exists(clean)) fs::rename(clean, old);
    fs::rename(fresh, clean);
    fs::remove_all(old);
  } catch (const std::exception& problem) {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    if (!fs::exists(clean, ignored) && fs::exists(old, ignored)) fs::rename(old, clean, ignored);
    fail("{}: cannot write the output: {}; nothing was changed", directory.string(), problem.what());
  }
}

}  // namespace mote
