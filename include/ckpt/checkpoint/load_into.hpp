#ifndef CKPT_CHECKPOINT_LOAD_INTO_HPP
#define CKPT_CHECKPOINT_LOAD_INTO_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <ckpt/checkpoint/load.hpp>
#include <ckpt/checkpoint/open_file.hpp>
#include <ckpt/checkpoint/options.hpp>
#include <ckpt/checkpoint/plain_source.hpp>
#include <ckpt/checkpoint/policies.hpp>
#include <ckpt/checkpoint/reader.hpp>
#include <ckpt/core/byte_span.hpp>
#include <ckpt/core/concat.hpp>
#include <ckpt/core/error.hpp>
#include <ckpt/core/excerpt.hpp>
#include <ckpt/core/owner.hpp>
#include <ckpt/core/sequence.hpp>
#include <ckpt/core/trivial_vector.hpp>
#include <ckpt/io/source.hpp>
#include <ckpt/model/concepts.hpp>
#include <ckpt/model/destinations.hpp>
#include <ckpt/model/file_index.hpp>
#include <ckpt/model/state_dict.hpp>
#include <ckpt/model/walk.hpp>
#include <ckpt/tensor/slice.hpp>

namespace ckpt {

/// What load_into did to a network. Names are in the order of where they are.
struct load_report {
  std::size_t filled = 0;               ///< how many of its parameters hold what the file does
  std::vector<std::string> missing;     ///< those that the file does not have: they are as they were
  std::vector<std::string> unexpected;  ///< what the file has beside: appended values, or parts of another network
};

namespace detail {

template <class Network>
constexpr bool check_network() noexcept {
  constexpr bool is_shown = std::same_as<std::remove_cvref_t<Network>, state_dict>;
  static_assert(!is_shown, "ckpt::load_into: a state_dict shows what a file holds; there is nothing to fill");
  static_assert(save_object<Network>,
                "ckpt::load_into: this is not a network. Give it what ckpt::save takes: a cell with "
                "parameters_and_names() or visit_parameters(visitor), a range of parameters with name and data, or a "
                "map of names to tensors or strings");
  return save_object<Network> && !is_shown;
}

// What is filled: of a temporary what it refers to, not what it owns and takes with it.
template <class Network, class Plain = std::remove_reference_t<Network>>
using filled =
    std::conditional_t<std::is_lvalue_reference_v<Network> || !save_object<const Plain>, Plain&, const Plain&>;

/// The entry whose name is `name` with something before it, or else the longest that is its end; where there is none
/// of these, null.
template <class Index>
[[nodiscard]] const index_entry* find_relative(const Index& index, std::string_view name) {
  const auto is_end_of = [](std::string_view end, std::string_view whole) {
    return whole.size() > end.size() && whole.ends_with(end) && whole[whole.size() - end.size() - 1] == '.';
  };
  const index_entry* shorter = nullptr;
  for (const index_entry& entry : index) {
    if (is_end_of(name, entry.name())) return &entry;
    if (is_end_of(entry.name(), name) && (shorter == nullptr || entry.name().size() > shorter->name().size()))
      shorter = &entry;
  }
  return shorter;
}

template <class Index>
[[noreturn]] void refuse_missing(const Index& index, sequence<std::string_view> names, bool are_all) {
  constexpr std::size_t most = 3;  // that are named beside the first
  std::string text = "the file has none of that name";
  for (std::size_t i = 1; i < names.size() && i <= most; ++i) text += concat({i == 1 ? ", nor of " : ", ", names[i]});
  if (names.size() > most + 1) text += concat({" and ", std::to_string(names.size() - most - 1), " more"});
  if (const index_entry* const relative = detail::find_relative(index, names.front()))
    text += concat({"; it has \"", excerpt(relative->name()), "\""});
  text += are_all ? "; it has nothing of what is to be filled"
                  : "; with .allow_missing = true such parameters are left as they are";
  throw mismatch_error(errc::missing, {.path = index.label(), .name = std::string(names.front()), .noun = "parameter"},
                       text);
}

/// `read(places)` reads the tensors. (Its report is a parameter so that only who calls it compiles the vectors.)
template <class Network, class Read, class Report = load_report>
Report fill(Network& network, const file_index& index, const load_options& options, const Read& read) {
  destinations<file_index> places(index, options.choose);
  ckpt::walk(places, network);
  const bool is_nothing = places.size() == 0;
  if (!places.missing().empty() && (is_nothing || !options.allow_missing))
    detail::refuse_missing(index, places.missing(), is_nothing);
  if (is_nothing && places.has_left_out())
    throw usage_error(errc::missing, {.path = index.label()}, "choose takes none of the names of the network");
  Report report;
  report.filled = places.size();
  for (const std::string_view name : places.missing()) report.missing.emplace_back(name);
  places.for_each_unexpected([&](std::string_view name) { report.unexpected.emplace_back(name); });
  places.keep_apart();
  read(places);
  places.finish();
  return report;
}

template <class... Policies, class Network>
load_report load_into_from(owner<const source> file, Network& network, const load_options& options) {
  using chosen = policy_set<Policies...>;
  const source_of<typename chosen::cipher> opened(std::move(file), options);
  const file_index index = index_of<chosen>(opened, options);
  return detail::fill(network, index, options, [&](const destinations<file_index>& places) {
    trivial_vector<read_request> requests;
    std::uint64_t total = 0;
    places.for_each_tensor([&](std::size_t position, byte_span bytes) {
      total += bytes.size();
      for (const extent& part : index[position].extents()) {
        const auto size = static_cast<std::size_t>(part.size);
        requests.push_back({part.offset, bytes.first(size)});
        bytes = bytes.subspan(size);
      }
    });
    read_reported(*opened.plain, requests, total, options);
  });
}

}  // namespace detail

/// Fills the parameters of a network from a checkpoint file, each from the entry of its name: what save() takes, of
/// which the elements, and texts that are std::strings, can be written to; other texts must be those of the file.
/// Names, dtypes and shapes are all compared before anything is written. A parameter that is a plain list, as a
/// std::vector<float>, takes a tensor of any shape with as many elements; one of float or double takes narrower float
/// types, whose numbers it holds exactly. Elements are read straight to where they belong, whatever `read` of the
/// options, but those of strided tensors through memory of their own. Parameters that share memory hold in the
/// end what the file has of one of them.
///
/// Throws as load, which leaves the network as it was; mismatch_error, too, where the file lacks a parameter that
/// `choose` accepts (see `allow_missing`), or all of them, or has it with another kind, dtype or shape; usage_error
/// where `choose` accepts none, or the network gives a name twice. Where the reading itself ends early (io_error;
/// format_error for a file that becomes shorter or a bool that is neither 0 nor 1; integrity_error of an encrypted
/// file; what `progress` throws), what was to be filled holds anything.
template <class... Policies, class Network>
load_report load_into(std::string path, Network&& network, const load_options& options = {}) {
  load_report report;
  if constexpr (detail::check_network<Network>())
    report = detail::load_into_from<Policies...>(detail::open_file(std::move(path), read::copy, options),
                                                 static_cast<detail::filled<Network>>(network), options);
  return report;
}

/// The same from the bytes of a file in memory.
template <class... Policies, class Network>
load_report load_into(std::span<const std::byte> bytes, Network&& network, const load_options& options = {}) {
  load_report report;
  if constexpr (detail::check_network<Network>())
    report = detail::load_into_from<Policies...>(owner<const source>(new memory_source(bytes)),
                                                 static_cast<detail::filled<Network>>(network), options);
  return report;
}

/// The same from what load() returned. Of the options, `choose` and `allow_missing` count.
template <class Network>
load_report load_into(const state_dict& from, Network&& network, const load_options& options = {}) {
  load_report report;
  if constexpr (detail::check_network<Network>())
    report = detail::fill(
        static_cast<detail::filled<Network>>(network), from.index(), options,
        [&](const destinations<file_index>& places) {
          places.for_each_tensor([&](std::size_t position, byte_span bytes) { from.at(position).copy_to(bytes); });
        });
  return report;
}

/// Reads one tensor, or a box of it, of a checkpoint file into memory of the caller: a span, or what passes as one, as
/// a vector or an array. For more than one, keep a reader. The policies and options are the reader's.
template <class... Policies, class List>
  requires(!std::same_as<std::remove_cvref_t<List>, load_options>)
void load_into(std::string path, std::string_view name, List&& to, const slice& box = {},
               const load_options& options = {}) {
  if constexpr (detail::check_list_to_fill<List>())
    basic_reader<Policies...>(std::move(path), options).read_into(name, std::span<detail::span_element<List>>(to), box);
}

}  // namespace ckpt

#endif
