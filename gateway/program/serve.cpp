#include "gateway/program/serve.h"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <iostream>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "gateway/program/running_gateway.h"

namespace sallyport {

namespace {

// Secrets are in this process's memory: no core file, no debugger of another user. Connections need
// file descriptors: as many as the system lets us have.
void harden()
{
    const rlimit no_core{0, 0};
    if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        spdlog::warn("event=core_dumps_not_disabled");
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            spdlog::warn("event=file_limit_not_raised limit={}", files.rlim_max);
    }
    umask(077);
    (void)std::signal(SIGPIPE, SIG_IGN);  // cannot fail for this signal
}

// The buffers of a batch are of some hundred kilobytes and needed again a moment later. By itself
// the C library gives such memory back each time, and every page of it comes again by a page fault.
void keep_buffers()
{
    constexpr int kept_bytes = 16 << 20;
    constexpr int mapped_from_bytes = 8 << 20;
    mallopt(M_TRIM_THRESHOLD, kept_bytes);
    mallopt(M_MMAP_THRESHOLD, mapped_from_bytes);
}

}  // namespace

int serve(const std::string& config_file, std::span<const ProtocolWords> protocols)
{
    auto configuration = read_configuration(config_file, protocols);
    if (!configuration) {
        for (const Problem& problem : configuration.error())
            std::cerr << to_string(problem) << "\n";
        return 1;
    }
    harden();
    keep_buffers();
    // Signals that come while the gateway starts are kept for the loop below.
    boost::asio::io_context main_loop(1);
    boost::asio::signal_set signals(main_loop, SIGINT, SIGTERM, SIGHUP);

    auto gateway = RunningGateway::start(config_file, std::move(*configuration), protocols);
    if (!gateway) {
        spdlog::error("event=start_failed reason=\"{}\" {}", gateway.error().detail,
                      gateway.error().context);
        return 1;
    }
    spdlog::info("event=ready");

    const std::function<void(boost::system::error_code, int)> on_signal =
        [&](boost::system::error_code failed, int signal) {
            if (failed)
                return;
            if (signal == SIGHUP) {
                (*gateway)->reload();
                signals.async_wait(on_signal);
                return;
            }
            spdlog::info("event=stopping signal={}", signal);
        };
    signals.async_wait(on_signal);
    main_loop.run();
    gateway->reset();
    spdlog::info("event=stopped");
    return 0;
}

void add_serve_command(CLI::App& app, std::span<const ProtocolWords> protocols, int& status)
{
    CLI::App* command = app.add_subcommand("serve", "Run the gateway");
    auto config_file = std::make_shared<std::string>();
    command->add_option("--config", *config_file, "The configuration file")->required();
    command->footer("Example: sallyport serve --config /etc/sallyport/gateway.yaml");
    command->callback(
        [config_file, protocols, &status] { status = serve(*config_file, protocols); });
}

}  // namespace sallyport
