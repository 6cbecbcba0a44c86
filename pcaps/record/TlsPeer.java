import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Collections;
import javax.net.ssl.*;

/**
 * A client or server of Java's TLS with a given list of protocols (SSLv2Hello,SSLv3,TLSv1,...).
 *
 *     java TlsPeer.java client ADDRESS PORT PROTOCOLS [NAME]
 *     java TlsPeer.java server ADDRESS PORT PROTOCOLS
 */
class TlsPeer {
    static SSLContext context() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        char[] secret = "not-a-secret".toCharArray();
        try (InputStream in = new FileInputStream(System.getProperty("keystore"))) {
            store.load(in, secret);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, secret);
        TrustManager all = new X509ExtendedTrustManager() {
            public void checkClientTrusted(X509Certificate[] c, String a) {}
            public void checkServerTrusted(X509Certificate[] c, String a) {}
            public void checkClientTrusted(X509Certificate[] c, String a, java.net.Socket s) {}
            public void checkServerTrusted(X509Certificate[] c, String a, java.net.Socket s) {}
            public void checkClientTrusted(X509Certificate[] c, String a, SSLEngine e) {}
            public void checkServerTrusted(X509Certificate[] c, String a, SSLEngine e) {}
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        };
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), new TrustManager[] { all }, null);
        return context;
    }

    static void serve(SSLServerSocket server) throws Exception {
        while (true) {
            try (SSLSocket peer = (SSLSocket) server.accept()) {
                byte[] line = new byte[256];
                int size = peer.getInputStream().read(line);
                if (size > 0)
                    peer.getOutputStream().write("a1 OK\r\n".getBytes(StandardCharsets.US_ASCII));
                peer.getInputStream().read(line);
            } catch (java.io.IOException refused) {
                System.err.println(refused);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        String[] protocols = args[3].split(",");
        java.net.InetAddress address = java.net.InetAddress.getByName(args[1]);
        int port = Integer.parseInt(args[2]);
        if (args[0].equals("server")) {
            SSLServerSocket server = (SSLServerSocket) context().getServerSocketFactory()
                .createServerSocket(port, 5, address);
            server.setEnabledProtocols(protocols);
            server.setEnabledCipherSuites(server.getSupportedCipherSuites());
            serve(server);
        }
        try (SSLSocket peer = (SSLSocket) context().getSocketFactory().createSocket()) {
            peer.setEnabledProtocols(protocols);
            if (args.length > 4) {
                SSLParameters parameters = peer.getSSLParameters();
                parameters.setServerNames(Collections.singletonList(new SNIHostName(args[4])));
                peer.setSSLParameters(parameters);
            }
            peer.connect(new java.net.InetSocketAddress(address, port));
            OutputStream out = peer.getOutputStream();
            out.write("a1 NOOP\r\n".getBytes(StandardCharsets.US_ASCII));
            peer.getInputStream().read(new byte[256]);
        }
    }
}
