// PostgreSQL clients of this gateway: what a listener hands their connections to.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gateway/edge/listener.h"
#include "gateway/session/gate.h"
#include "protocols/postgres/cancel_keys.h"
#include "protocols/postgres/catalogue_reader.h"
#include "protocols/postgres/client_login.h"
#include "protocols/postgres/derived_columns.h"
#include "protocols/postgres/sql_readings.h"

namespace sallyport::postgres {

class Relay;

class PostgresService final : public Service {
public:
    // The gate outlives the service. Every io_context that runs serve() is stopped before the
    // service is destroyed.
    // state_dir: of the gateway; what was copied where is kept there, and the catalogues read last.
    PostgresService(Gate& gate, LoginSettings login, std::string state_dir);
    ~PostgresService() override;

    boost::asio::awaitable<void> serve(Stream client) override;

    // Ends every session with a FATAL error that says why. From any thread; returns at once.
    void end_sessions(const std::string& why);

private:
    // What the sessions of one thread share.
    struct Connected {
        std::shared_ptr<const Connection> connection;
        std::unique_ptr<SqlReadings> readings;
        std::unique_ptr<CatalogueSource> catalogue;
        std::shared_ptr<DerivedColumns> derived;
    };
    struct Here {
        explicit Here(boost::asio::any_io_executor executor);
        boost::asio::any_io_executor executor;
        std::map<const Connection*, Connected> connected;
        std::list<Relay*> relays;
    };

    Here& here(const boost::asio::any_io_executor& executor);
    Result<Connected*> connected(Here& here, const std::shared_ptr<const Connection>& connection);
    static boost::asio::awaitable<void> watch(Here& here);
    boost::asio::awaitable<void> run_session(Stream& client, LoggedIn login);

    Gate& gate_;
    LoginSettings login_;
    CancelKeys cancel_keys_;
    std::mutex mutex_;  // of the two maps, not of what they hold
    std::map<std::thread::id, std::unique_ptr<Here>> threads_;
    // What the threads share for one connection, by its name.
    // What is known of a target on all connections that lead to it.
    struct Everywhere {
        std::shared_ptr<CatalogueChanges> changes;
        std::shared_ptr<DerivedColumns> derived;
    };
    std::map<std::string, Everywhere, std::less<>> everywhere_;  // by derived_file()
    const std::string state_dir_;
    boost::asio::thread_pool disk_{1};
};

}  // namespace sallyport::postgres
