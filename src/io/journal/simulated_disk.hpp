#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/file_layer.hpp"

namespace baton::journal {

/// How what was not synced looks after a power cut.
enum class Tear {
    prefix,  ///< the first bytes are there, the file ends behind them
    zeros,   ///< the file has its full size, behind the first bytes are zeros
    hole,    ///< the file has its full size, the first bytes are zeros
};

/// A disk for tests: forgets at a crash what was not synced, and can stop at any operation.
class SimulatedDisk final : public os::FileLayer {
public:
    using Bytes = std::vector<std::byte>;

    static constexpr std::size_t no_stop = std::numeric_limits<std::size_t>::max();

    /// From the operation with this number on (the first is 0) everything fails.
    std::size_t stop_at = no_stop;
    /// Whether that operation still has its effect.
    bool stop_with_effect = false;
    /// Called in each sync() of a file, before it takes effect.
    std::function<void()> on_sync;
    /// Errors for single calls, by what they are.
    bool fail_sync = false;
    bool fail_append = false;
    bool locked = false;

    [[nodiscard]] std::size_t operations() const { return operations_; }
    [[nodiscard]] std::size_t syncs() const { return syncs_; }

    /// The folder as a process sees it that does not crash.
    [[nodiscard]] std::map<std::string, Bytes> contents() const {
        std::map<std::string, Bytes> result;
        for (const auto& [name, file] : names_) result[name] = file->bytes;
        return result;
    }

    void put(const std::string& name, Bytes bytes) {
        const auto file = std::make_shared<File>();
        file->bytes = file->synced = std::move(bytes);
        names_[name] = file;
        synced_names_[name] = file;
    }

    /// Operations on the folder that a crash may undo.
    [[nodiscard]] std::size_t folder_operations_at_risk() const { return folder_log_.size(); }
    /// Most bytes of one file that a crash may lose.
    [[nodiscard]] std::size_t bytes_at_risk() const {
        std::size_t most = 0;
        for (const auto& [name, file] : names_) {
            most = std::max(most, file->bytes.size() - file->synced.size());
        }
        return most;
    }

    /// The disk after a power cut: the first `folder_operations` of those at risk have happened, of
    /// each file the synced bytes are there and `kept` of the others, by the kind of tear.
    [[nodiscard]] std::unique_ptr<SimulatedDisk> after_crash(std::size_t folder_operations,
                                                             std::size_t kept, Tear tear) const {
        auto names = synced_names_;
        for (std::size_t index = 0; index < folder_log_.size(); ++index) {
            if ((folder_operations >> index & 1U) != 0) folder_log_[index](names);
        }
        auto disk = std::make_unique<SimulatedDisk>();
        for (const auto& [name, file] : names) {
            const std::size_t synced = file->synced.size();
            const std::size_t middle = std::min(file->bytes.size(), synced + kept);
            Bytes bytes = file->bytes;
            if (tear == Tear::prefix) {
                bytes.resize(middle);
            } else {
                const auto begin = bytes.begin();
                const auto at = [&](std::size_t index) {
                    return begin + static_cast<std::ptrdiff_t>(index);
                };
                if (tear == Tear::zeros) std::fill(at(middle), bytes.end(), std::byte{0});
                if (tear == Tear::hole) std::fill(at(synced), at(middle), std::byte{0});
            }
            disk->put(name, std::move(bytes));
        }
        return disk;
    }

    Result<> make_folder(const std::string&) override { return {}; }

    Result<std::vector<std::string>> list(const std::string&) override {
        std::vector<std::string> result;
        for (const auto& [name, file] : names_) result.push_back(name);
        return result;
    }

    Result<Bytes> read(const std::string& path, std::size_t limit) override {
        const auto found = names_.find(name_of(path));
        if (found == names_.end()) return fail(Errc::not_found, ENOENT);
        if (found->second->bytes.size() > limit) return fail(Errc::limit_reached);
        return found->second->bytes;
    }

    Result<std::unique_ptr<os::AppendableFile>> create(const std::string& path) override {
        const auto file = std::make_shared<File>();
        const auto done =
            change_folder([name = name_of(path), file](Names& names) { names[name] = file; });
        if (!done) return std::unexpected(done.error());
        return std::make_unique<Handle>(*this, file);
    }

    Result<> rename(const std::string& from, const std::string& to) override {
        return change_folder([from = name_of(from), to = name_of(to)](Names& names) {
            const auto found = names.find(from);
            if (found == names.end()) return;
            names[to] = found->second;
            names.erase(from);
        });
    }

    Result<> remove(const std::string& path) override {
        return change_folder([name = name_of(path)](Names& names) { names.erase(name); });
    }

    Result<> sync_folder(const std::string&) override {
        return operate([this] {
            synced_names_ = names_;
            folder_log_.clear();
        });
    }

    Result<os::UniqueFd> lock(const std::string&) override {
        if (locked) return fail(Errc::in_use);
        return os::UniqueFd();
    }

private:
    struct File {
        Bytes bytes;
        Bytes synced;  ///< always the beginning of `bytes`
    };
    using Names = std::map<std::string, std::shared_ptr<File>>;

    class Handle final : public os::AppendableFile {
    public:
        Handle(SimulatedDisk& disk, std::shared_ptr<File> file)
            : disk_(disk), file_(std::move(file)) {}

        Result<> append(std::span<const std::byte> bytes) override {
            if (disk_.fail_append) {
                // As a full disk does: some of it is there.
                file_->bytes.insert(file_->bytes.end(), bytes.begin(),
                                    bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2));
                return fail(Errc::system_call, ENOSPC);
            }
            return disk_.operate(
                [&] { file_->bytes.insert(file_->bytes.end(), bytes.begin(), bytes.end()); });
        }

        Result<> sync() override {
            if (disk_.on_sync) disk_.on_sync();
            ++disk_.syncs_;
            if (disk_.fail_sync) return fail(Errc::system_call, EIO);
            return disk_.operate([&] { file_->synced = file_->bytes; });
        }

    private:
        SimulatedDisk& disk_;
        std::shared_ptr<File> file_;
    };

    static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

    template <typename Effect>
    Result<> operate(const Effect& effect) {
        const std::size_t number = operations_++;
        if (number < stop_at || (number == stop_at && stop_with_effect)) effect();
        if (number >= stop_at) return fail(Errc::system_call, EIO);
        return {};
    }

    Result<> change_folder(std::function<void(Names&)> change) {
        return operate([&] {
            change(names_);
            folder_log_.push_back(change);
        });
    }

    std::size_t operations_ = 0;
    std::size_t syncs_ = 0;
    Names names_;
    Names synced_names_;
    std::vector<std::function<void(Names&)>> folder_log_;
};

}  // namespace baton::journal
