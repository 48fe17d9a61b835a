// Starting a program of PostgreSQL's as another user, with two folders in its hands.

#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "gateway/vocabulary/result.h"

namespace sallyport {

// Closes it on destruction.
class OwnedFile {
public:
    OwnedFile() = default;
    explicit OwnedFile(int file) : file_(file) {}
    OwnedFile(OwnedFile&& other) noexcept;
    OwnedFile& operator=(OwnedFile&& other) noexcept;
    ~OwnedFile();

    int get() const { return file_; }
    explicit operator bool() const { return file_ >= 0; }

private:
    int file_ = -1;
};

// The user PostgreSQL runs as.
struct RunUser {
    uid_t uid = 0;
    gid_t gid = 0;
};

// The names under which every process of the cluster finds its folders.
inline constexpr const char* child_data_path = "/proc/self/fd/3";
inline constexpr const char* child_run_path = "/proc/self/fd/4";

struct ChildProcess {
    std::vector<std::string> arguments;  // the first is the program's path
    RunUser user;                        // only root can start it as somebody else
    int data = -1;                       // open folders
    int run = -1;
    std::string log;  // written anew: what it says
};

// A child of the calling thread: it gets SIGINT when that thread ends. It has standard input from
// nowhere, no other file of this process, no signal blocked and a session of its own, so that
// Ctrl-C at a terminal does not reach it.
Result<pid_t> start_child(const ChildProcess& child);

}  // namespace sallyport
