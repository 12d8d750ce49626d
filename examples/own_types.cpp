// Types that are not this library's: a matrix with strides, parameter objects, a sink and memory instead of files.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ckpt/ckpt.hpp>

// A column-major matrix, as linear algebra libraries have them.
class matrix {
 public:
  matrix(std::size_t rows, std::size_t columns) : m_rows(rows), m_columns(columns), m_values(rows * columns) {}
  double& operator()(std::size_t row, std::size_t column) { return m_values[column * m_rows + row]; }
  std::size_t rows() const { return m_rows; }
  std::size_t columns() const { return m_columns; }
  const double* data() const { return m_values.data(); }
  double* data() { return m_values.data(); }

 private:
  std::size_t m_rows;
  std::size_t m_columns;
  std::vector<double> m_values;
};

// One function makes it a tensor; its elements are put in row-major order while they are written. Another lets it be
// filled from a file.
template <>
struct ckpt::tensor_traits<matrix> {
  static tensor_view view(const matrix& m) {
    const auto rows = static_cast<std::int64_t>(m.rows());
    return tensor_view::strided(dtype::float64, {rows, static_cast<std::int64_t>(m.columns())}, m.data(), {1, rows});
  }
  static void* writable(matrix& m) { return m.data(); }
};

// A parameter type of a framework: has a name and data.
class parameter {
 public:
  parameter(std::string name, std::vector<float> values) : m_name(std::move(name)), m_values(std::move(values)) {}
  const std::string& name() const { return m_name; }
  const std::vector<float>& data() const { return m_values; }

 private:
  std::string m_name;
  std::vector<float> m_values;
};

// A sink: takes bytes. This one adds them up.
struct adding_sink {
  std::uint64_t sum = 0;
  void write(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) sum += std::to_integer<std::uint64_t>(byte);
  }
};

int main() try {
  matrix m(2, 3);
  for (std::size_t row = 0; row < 2; ++row)
    for (std::size_t column = 0; column < 3; ++column) m(row, column) = static_cast<double>(10 * row + column);

  const std::vector<std::byte> bytes = ckpt::save_bytes<ckpt::safetensors>(std::map<std::string, matrix>{{"m", m}});
  const ckpt::state_dict loaded = ckpt::load(bytes);
  for (const double value : loaded["m"].as<double>()) std::printf("%g ", value);
  std::printf("\n");

  std::vector<std::unique_ptr<parameter>> parameters;
  parameters.push_back(std::make_unique<parameter>("w", std::vector<float>{1, 2, 3}));
  parameters.push_back(std::make_unique<parameter>("b", std::vector<float>{4}));
  adding_sink sink;
  const ckpt::save_report report = ckpt::save(parameters, sink);
  std::printf("%llu bytes, sum %llu\n", static_cast<unsigned long long>(report.bytes),
              static_cast<unsigned long long>(sink.sum));

  // A slice of a tensor, straight into memory: columns 1 and 2 of both rows.
  ckpt::save<ckpt::safetensors>(std::map<std::string, matrix>{{"m", m}}, "own_types", {.permissions = 0600});
  std::array<double, 4> box{};
  ckpt::load_into("own_types.safetensors", "m", std::span<double>(box), {{0, 2}, {1, 3}});
  for (const double value : box) std::printf("%g ", value);
  std::printf("\n");

  // The whole matrix again, by its name.
  std::map<std::string, matrix> again{{"m", matrix(2, 3)}};
  ckpt::load_into("own_types.safetensors", again);
  std::printf("%g %g\n", again.at("m")(0, 2), again.at("m")(1, 0));
  std::remove("own_types.safetensors");
  return 0;
} catch (const ckpt::error& e) {
  std::fprintf(stderr, "own_types: %s\n", e.what());
  return 1;
}
