// SPDX-License-Identifier: Apache-2.0
#include "zoo/build.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "base/files.hpp"
#include "emulate/process.hpp"
#include "zoo/content_hash.hpp"
#include "zoo/measure_row.hpp"
#include "zoo/show.hpp"

namespace mote {

namespace {

namespace fs = std::filesystem;

struct Model {
  fs::path file;
  uintmax_t bytes = 0;
  std::string sha256;
};

struct Tools {
  std::string compiler, emulator;
};

struct Job {
  const Model* model;
  const Target* target;
  Mode mode;
  BookRow row;  // what identifies it and what it is made from
};

std::vector<Model> models_of(const fs::path& folder, const std::vector<std::string>& globs) {
  require(fs::is_directory(folder), "{}: no such folder; give one with .tflite or .onnx files", folder.string());
  std::vector<Model> models;
  size_t found = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".tflite" && extension != ".onnx") continue;
    ++found;
    if (!globs.empty() && !names_model(globs, entry.path().filename().string())) continue;
    std::error_code unreadable;
    const uintmax_t bytes = fs::file_size(entry.path(), unreadable);
    models.push_back({entry.path(), unreadable ? 0 : bytes, ""});
  }
  require(found > 0, "{}: holds no models; .tflite and .onnx files are taken, folders in it are not searched",
          folder.string());
  require(!models.empty(), "{}: none of its {} models is called {}", folder.string(), found,
          fmt::join(globs, " or "));
  for (Model& model : models) {
    try {
      model.sha256 = sha256(read_file(model.file));
    } catch (const Error&) {  // its rows will say why
    }
  }
  // Largest first: what takes long must not begin when the other threads have nothing left.
  std::sort(models.begin(), models.end(), [](const Model& a, const Model& b) {
    return std::tuple(b.bytes, a.file.string()) < std::tuple(a.bytes, b.file.string());
  });
  return models;
}

// Empty when the program is not there: the rows will say so, and be built once it is.
std::string version_line(std::string_view program) {
  if (program.empty()) return "";
  try {
    const std::string text = run_process({std::string(program), "--version"}, std::chrono::seconds(30)).output;
    return text.substr(0, text.find('\n'));
  } catch (const Error&) {
    return "";
  }
}

bool up_to_date(const BookRow& old, const BookRow& wanted) {
  return !old.error && old.sha256 == wanted.sha256 && old.mote == wanted.mote && old.compiler == wanted.compiler &&
         old.detail >= wanted.detail && (wanted.emulator.empty() || old.emulator == wanted.emulator);
}

using Key = std::tuple<std::string, std::string, std::string>;

Key key_of(const BookRow& row) { return {row.model, row.target, row.mode}; }

std::vector<Job> all_jobs(const ZooRequest& request, const std::vector<Model>& models) {
  const std::string build = mote_build();
  std::vector<Tools> tools;
  for (const Target* const target : request.targets) {
    tools.push_back(
        {version_line(generator(*target)), request.detail == Detail::sizes ? "" : version_line(target->emulator)});
  }
  std::vector<Job> jobs;
  for (const Model& model : models) {
    for (size_t i = 0; i < request.targets.size(); ++i) {
      for (const Mode mode : request.modes) {
        BookRow row;
        row.model = model.file.filename().string();
        row.target = request.targets[i]->name;
        row.mode = name(mode);
        row.sha256 = model.sha256;
        row.mote = build;
        row.compiler = tools[i].compiler;
        row.emulator = tools[i].emulator;
        row.detail = request.detail;
        jobs.push_back({&model, request.targets[i], mode, std::move(row)});
      }
    }
  }
  return jobs;
}

void remove_up_to_date(std::vector<Job>& jobs, const Book& book) {
  std::map<Key, BookRow> known;
  for (BookRow& row : book.rows(false)) known.emplace(key_of(row), std::move(row));
  std::erase_if(jobs, [&](const Job& job) {
    const auto old = known.find(key_of(job.row));
    return old != known.end() && up_to_date(old->second, job.row);
  });
}

// Threads that take one job after the other. Only the members after `mutex_` change, and only under it.
class Workers {
 public:
  Workers(std::vector<Job> jobs, Book& book, const std::function<void(const ZooProgress&)>& progress,
          const std::atomic<bool>& stop, ZooResult& result)
      : jobs_(std::move(jobs)), progress_(progress), stop_(stop), book_(book), result_(result) {
    state_.rows = jobs_.size();
  }

  void run(size_t threads) {
    {
      std::vector<std::jthread> pool;
      for (size_t i = 0; i < std::min(threads, jobs_.size()); ++i) pool.emplace_back([this] { work(); });
    }
    result_.stopped = state_.finished < jobs_.size();
    if (broken_) std::rethrow_exception(broken_);
  }

 private:
  void work() {
    while (const Job* const job = take()) {
      BookRow row = measure_row(job->model->file, *job->target, job->mode, job->row);
      const std::lock_guard lock(mutex_);
      std::erase(state_.working, title(*job));
      // Ctrl-C reaches compiler and emulator too: what they say then is no figure of the model.
      if (broken_ || (stop_ && row.error)) continue;
      finish(std::move(row));
    }
  }

  const Job* take() {
    const std::lock_guard lock(mutex_);
    if (stop_ || broken_ || next_ == jobs_.size()) return nullptr;
    const Job* const job = &jobs_[next_++];
    state_.working.push_back(title(*job));
    progress_(state_);
    return job;
  }

  void finish(BookRow row) {
    try {
      book_.put(row);
    } catch (...) {
      broken_ = std::current_exception();
      return;
    }
    ++state_.finished;
    ++result_.built;
    if (row.error) {
      ++state_.failed;
      result_.failed.push_back(std::move(row));
    }
    progress_(state_);
  }

  static std::string title(const Job& job) {
    return fmt::format("{} {} {}", job.model->file.stem().string(), job.row.target, job.row.mode);
  }

  const std::vector<Job> jobs_;
  const std::function<void(const ZooProgress&)>& progress_;
  const std::atomic<bool>& stop_;

  std::mutex mutex_;
  Book& book_;
  ZooResult& result_;
  ZooProgress state_;
  size_t next_ = 0;
  std::exception_ptr broken_;  // the book cannot be written
};

}  // namespace

ZooResult build_zoo(const ZooRequest& request, const std::function<void(const ZooProgress&)>& progress,
                    const std::atomic<bool>& stop) {
  const std::vector<Model> models = models_of(request.folder, request.models);
  Book book = Book::open_or_create(request.book);
  std::vector<Job> jobs = all_jobs(request, models);
  ZooResult result;
  result.models = models.size();
  result.rows = jobs.size();
  if (!request.force) remove_up_to_date(jobs, book);
  result.up_to_date = result.rows - jobs.size();
  Workers(std::move(jobs), book, progress, stop, result).run(std::max<size_t>(1, request.jobs));
  std::sort(result.failed.begin(), result.failed.end(),
            [](const BookRow& a, const BookRow& b) { return key_of(a) < key_of(b); });
  return result;
}

}  // namespace mote
