/*
 * mbedtls_client - a TLS client of mbedTLS 2.28 at one version, as small devices have it.
 *
 * usage: mbedtls_client ADDRESS PORT MINOR [SERVER-NAME]     MINOR: 1 is TLS 1.0, 3 is TLS 1.2
 *
 * For recordings only; it is not part of the program.
 */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	static const char line[] = "NOOP\r\n";
	mbedtls_ssl_context ssl;
	mbedtls_ssl_config conf;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
	mbedtls_net_context net;
	unsigned char answer[256];
	int minor;

	if (argc < 4)
		return 2;
	minor = (int)strtol(argv[3], NULL, 10);
	mbedtls_ssl_init(&ssl);
	mbedtls_ssl_config_init(&conf);
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&drbg);
	mbedtls_net_init(&net);
	if (mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0) != 0 ||
	    mbedtls_net_connect(&net, argv[1], argv[2], MBEDTLS_NET_PROTO_TCP) != 0 ||
	    mbedtls_ssl_config_defaults(&conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
		MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return 1;
	mbedtls_ssl_conf_authmode(&conf, MBEDTLS_SSL_VERIFY_NONE);
	mbedtls_ssl_conf_rng(&conf, mbedtls_ctr_drbg_random, &drbg);
	mbedtls_ssl_conf_min_version(&conf, MBEDTLS_SSL_MAJOR_VERSION_3, 1);
	mbedtls_ssl_conf_max_version(&conf, MBEDTLS_SSL_MAJOR_VERSION_3, minor);
	if (mbedtls_ssl_setup(&ssl, &conf) != 0 ||
	    (argc > 4 && mbedtls_ssl_set_hostname(&ssl, argv[4]) != 0))
		return 1;
	mbedtls_ssl_set_bio(&ssl, &net, mbedtls_net_send, mbedtls_net_recv, NULL);
	if (mbedtls_ssl_write(&ssl, (const unsigned char *)line, sizeof(line) - 1) < 0)
		return 1;
	(void)mbedtls_ssl_read(&ssl, answer, sizeof(answer));
	(void)mbedtls_ssl_close_notify(&ssl);
	mbedtls_net_free(&net);
	return 0;
}
