#ifndef CKPT_MANAGER_METRICS_FILE_HPP
#define CKPT_MANAGER_METRICS_FILE_HPP

#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include <ckpt/core/arena.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/io/atomic_file.hpp>
#include <ckpt/io/file_source.hpp>
#include <ckpt/json/reader.hpp>
#include <ckpt/json/utf8.hpp>
#include <ckpt/json/writer.hpp>
#include <ckpt/manager/training_step.hpp>

namespace ckpt {

/// The metrics of several checkpoints, by the names of their files. As JSON: an object of objects of numbers; what is
/// not finite is null, and comes back as NaN.
using metrics_by_file = std::map<std::string, step_metrics>;

/// Throws usage_error for a name that JSON cannot hold.
[[nodiscard]] inline std::string metrics_to_json(const metrics_by_file& all) {
  std::string text = "{";
  for (const auto& [file, metrics] : all) {
    text.append(text.size() > 1 ? ",\n" : "\n");
    append_json_string(text, file);
    text.append(": {");
    bool is_first = true;
    for (const auto& [name, value] : metrics) {
      if (!is_utf8(name)) throw usage_error(errc::invalid_name, {}, "the name of a metric is not UTF-8");
      if (!is_first) text.append(", ");
      is_first = false;
      append_json_string(text, name);
      char digits[32];  // the shortest that reads as the same double has at most 24 characters
      const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
      text.append(": ").append(std::isfinite(value) ? std::string_view(digits, static_cast<std::size_t>(end - digits))
                                                    : std::string_view("null"));
    }
    text.push_back('}');
  }
  return text.append("\n}\n");
}

/// Throws format_error where the text is no such JSON.
[[nodiscard]] inline metrics_by_file metrics_from_json(std::string_view text, const std::string& path) {
  arena strings;
  json_reader json(text, strings, path, 0);
  metrics_by_file all;
  json.begin_object();
  while (json.next_key()) {
    step_metrics& metrics = all[std::string(json.key())];
    json.begin_object();
    while (json.next_key()) {
      double& value = metrics[std::string(json.key())];
      value = std::numeric_limits<double>::quiet_NaN();
      if (json.read_null()) continue;
      value = 0;  // what from_chars leaves where the number is too small for a double
      const std::string_view number = json.read_number();
      std::from_chars(number.data(), number.data() + number.size(), value);
    }
  }
  json.finish();
  return all;
}

/// What a file of metrics says; nothing where there is no such file. Throws io_error, format_error.
[[nodiscard]] inline metrics_by_file read_metrics(const std::string& path) try {
  const file_source file(path);
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return metrics_from_json(text, path);
} catch (const io_error& e) {
  if (e.cause() == std::errc::no_such_file_or_directory) return {};
  throw;
} catch (const format_error& e) {
  throw format_error(e.code(), e.facts(), concat({e.text(), "; to go on without these metrics, remove the file"}));
}

/// Replaces the file as a whole. Throws as metrics_to_json and atomic_file.
inline void write_metrics(const std::string& path, const metrics_by_file& all, atomic_file_options options) {
  const std::string text = metrics_to_json(all);
  atomic_file file(path, text.size(), options);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace ckpt

#endif
